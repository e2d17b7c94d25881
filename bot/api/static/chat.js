// Talking: sessions, sending, listening, coming back.
(function () {
  "use strict";

  const RETRIES = [1000, 3000, 6000];
  const PATIENCE = 30000;
  const FRESH = 10 * 60 * 1000;
  const SILENCE = 50000;
  const memory = window.njrMemory;
  const show = window.njrShow;
  const attach = window.njrAttach;
  const form = document.getElementById("form");
  const box = document.getElementById("text");
  const state = document.getElementById("state");
  const people = document.getElementById("person");
  let source = null;
  let reconnect = 0;
  let beat = 0;
  let last = 0; // The newest that was read of the stream: it goes on from here.
  let newest = 0; // The newest that is shown, by whichever way it came.
  let oldest = 0;
  let seen = {};
  let unsent = [];
  let visit = 0;
  let session = { demo: false, person: "", people: [], officer: false, key: "" };
  let queue = Promise.resolve();

  function later(milliseconds) {
    return new Promise((done) => setTimeout(done, milliseconds));
  }

  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => ("0" + byte.toString(16)).slice(-2)).join("");
  }

  function tell(text) {
    state.textContent = text;
    state.hidden = !text;
  }

  function ask(path, body) {
    const options = { credentials: "same-origin" };
    if (body) {
      options.method = "POST";
      options.headers = { "Content-Type": "application/json" };
      options.body = JSON.stringify(body);
    }
    const tooLate = later(PATIENCE).then(() => { throw new Error("no answer"); });
    return Promise.race([fetch(path, options), tooLate]);
  }

  // Showing: every reply once, though it may come by the answer, the stream and the history.

  function showReply(reply) {
    const id = Number(reply.id || 0);
    if (id && seen[id]) return;
    if (id) seen[id] = true;
    newest = Math.max(newest, id);
    show.reply(reply);
  }

  function welcome() {
    const options = session.examples.map((text) => ({ label: text, value: text }));
    show.reply({ text: session.welcome, options: options });
  }

  // Talking

  // The same message_id goes out with every try, so that nothing is ever done twice.
  async function deliver(message, during) {
    for (let attempt = 0; during === visit; attempt++) {
      let wait = RETRIES[attempt];
      try {
        const answer = await ask("/api/v1/chat", message);
        if (answer.ok) return (await answer.json()).replies;
        if (answer.status === 401 && attempt === 0) {
          await open(session.person, during);
          wait = 1;
        } else if (answer.status === 429) {
          wait = Math.min(Number(answer.headers.get("Retry-After")) * 1000 || wait, 60000);
        } else if (answer.status < 500) {
          return [{ text: (await answer.json()).error.message }];
        }
      } catch (error) {
        // The network: tried again below.
      }
      if (attempt >= RETRIES.length || !wait) throw new Error("not delivered");
      await later(wait);
    }
    // The session became another's meanwhile: what was meant for the old one is not said in the new one.
    if (!box.value) box.value = message.text;
    return [];
  }

  function say(text, label) {
    const files = attach.take();
    const word = {
      id: newId(), text: text, label: label || text, files: files, after: newest, at: Date.now(), done: false
    };
    memory.add(word);
    send(word, show.own(word), visit);
  }

  function send(word, said, during) {
    const message = { message_id: word.id, text: word.text, chat: "private" };
    if (word.files && word.files.length) message.attachments = word.files.map((file) => file.id);
    queue = queue.then(async function () {
      if (during !== visit) return;
      show.typing();
      try {
        const replies = await deliver(message, during);
        show.typed();
        if (during !== visit) return;
        memory.done(word.id);
        replies.forEach(showReply);
      } catch (error) {
        show.typed();
        if (during === visit) offerAgain(word, said, during);
      }
    });
  }

  function offerAgain(word, said, during) {
    const again = show.button("没有发出去，点这里重试", "again", function () {
      again.remove();
      unsent = unsent.filter((each) => each !== again);
      send(word, said, during);
    });
    said.appendChild(again);
    unsent.push(again);
  }

  // Listening

  function listen() {
    const during = visit;
    clearTimeout(reconnect);
    if (source) source.close();
    beat = Date.now();
    source = new EventSource("/api/v1/events?after=" + last);
    source.onopen = function () {
      beat = Date.now();
      tell("");
      unsent.slice().forEach((again) => again.click());
    };
    source.addEventListener("beat", () => { beat = Date.now(); });
    source.onmessage = function (event) {
      if (during !== visit) return;
      beat = Date.now();
      last = Number(event.lastEventId);
      showReply(JSON.parse(event.data));
    };
    source.onerror = function () {
      if (during !== visit) return;
      tell("连接断了，正在重新连接…");
      // The browser goes on by itself after a broken line, but gives up after a refusal.
      if (source.readyState === 2) reconnect = setTimeout(() => start(), 5000);
    };
  }

  // A phone that slept, or changed its network, may hold a line that is dead without knowing.
  function revive(patience) {
    if (source && Date.now() - beat > patience) listen();
  }

  setInterval(() => revive(SILENCE), 10000);
  window.addEventListener("online", () => revive(0));
  window.addEventListener("pageshow", (event) => { if (event.persisted) revive(0); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) revive(SILENCE / 2); });

  memory.listen(function (told) {
    if (told.said) {
      memory.add(told.said, true);
      show.own(told.said);
    } else if (told.done) {
      memory.done(told.done, true);
    } else if (told.cleared) {
      memory.clear(newest, true);
      show.empty();
      welcome();
    }
  });

  // Coming back

  // Words and replies in the order in which they were said. Of an unfinished past only the word next to it is known
  // to belong here.
  function weave(messages, words, earlier) {
    const items = [];
    let rest = words;
    messages.forEach(function (reply, index) {
      const before = rest.filter((word) => word.after < Number(reply.id));
      rest = rest.filter((word) => word.after >= Number(reply.id));
      (index === 0 && earlier ? before.slice(-1) : before).forEach((word) => items.push({ own: word }));
      items.push({ reply: reply });
    });
    return { items: items, rest: rest };
  }

  async function past(before, during) {
    const answer = await ask("/api/v1/history" + (before ? "?before=" + before : ""));
    if (!answer.ok) throw new Error("no history");
    const found = await answer.json();
    if (during !== visit) return null;
    const cleared = memory.cleared();
    const messages = found.messages.filter((reply) => Number(reply.id) > cleared && !seen[reply.id]);
    if (found.messages.length) last = Math.max(last, Number(found.messages[found.messages.length - 1].id));
    return { messages: messages, earlier: found.earlier && messages.length === found.messages.length };
  }

  async function recall(during) {
    const words = memory.open(session.key);
    const found = await past(0, during);
    if (!found) return;
    const woven = weave(found.messages, words, found.earlier);
    if (!woven.items.length && !words.length) welcome();
    woven.items.forEach((item) => (item.own ? show.own(item.own) : showReply(item.reply)));
    woven.rest.forEach(function (word) {
      const said = show.own(word);
      if (word.done) return;
      if (Date.now() - word.at < FRESH) send(word, said, during);
      else offerAgain(word, said, during);
    });
    if (found.messages.length) oldest = Number(found.messages[0].id);
    if (found.earlier) offerEarlier(during);
  }

  function offerEarlier(during) {
    const more = show.button("看更早的", "earlier plain", async function () {
      more.disabled = true;
      try {
        const found = await past(oldest, during);
        if (!found) return;
        more.remove();
        found.messages.forEach((reply) => { seen[reply.id] = true; });
        show.earlier(weave(found.messages, memory.open(session.key), found.earlier).items);
        if (found.messages.length) oldest = Number(found.messages[0].id);
        if (found.earlier) offerEarlier(during);
      } catch (error) {
        more.disabled = false;
      }
    });
    show.first(more);
  }

  // Starting

  function forget() {
    visit += 1;
    queue = Promise.resolve();
    last = newest = oldest = 0;
    seen = {};
    unsent = [];
    if (source) source.close();
    clearTimeout(reconnect);
    show.empty();
  }

  function showSession(opened) {
    session = opened;
    document.getElementById("demo").hidden = !session.demo;
    people.parentNode.hidden = session.officer;
    document.getElementById("console").hidden = !session.officer;
    const signIn = document.getElementById("sign-in");
    signIn.hidden = !session.sso;
    if (session.sso) {
      signIn.textContent = session.sso.label;
      signIn.href = session.sso.url;
    }
    attach.offer(session.files);
    people.textContent = "";
    session.people.forEach(function (name) {
      const option = show.element("option", "", name);
      option.selected = name === session.person;
      people.appendChild(option);
    });
    if (!session.person) people.selectedIndex = -1;
  }

  async function open(wanted, during) {
    const answer = await ask("/api/v1/session", wanted ? { person: wanted } : {});
    const opened = await answer.json();
    if (!answer.ok) throw new Error(opened.error.message);
    if (during !== visit) return;
    // An officer whose session has ended must not go on as a visitor without noticing.
    if (session.officer && !opened.officer && !wanted) {
      location.href = "/console/";
      throw new Error("signed out");
    }
    const known = session.key === opened.key;
    if (!known && session.key) forget();
    const now = visit;
    showSession(opened);
    if (!known) {
      try {
        await recall(now);
      } catch (error) {
        session.key = ""; // What was said before is asked for again with the next try.
        throw error;
      }
    }
    if (now === visit) listen();
  }

  async function start(wanted) {
    const during = visit;
    try {
      await open(wanted, during);
    } catch (error) {
      if (during !== visit) return;
      tell("现在连不上，稍后会自动再试。");
      reconnect = setTimeout(() => start(wanted), 5000);
    }
  }

  people.addEventListener("change", function () {
    forget();
    session.key = "";
    start(people.value);
  });

  // The page's own controls

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    const text = box.value.trim();
    if (attach.waiting()) return tell("材料还在上传，传完就能发送。");
    if (!text && !attach.holds()) return;
    tell("");
    box.value = "";
    grow();
    say(text);
  });

  box.addEventListener("keydown", function (event) {
    // While pinyin is being composed, Enter chooses a word (229 on old web views).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    form.dispatchEvent(new Event("submit", { cancelable: true }));
  });

  function grow() {
    box.style.height = "";
    if (box.value && box.scrollHeight > box.clientHeight) box.style.height = box.scrollHeight + 2 + "px";
    show.toEnd();
  }

  function resize(size) {
    document.documentElement.className = "size-" + memory.size(size);
    show.toEnd();
  }

  document.getElementById("larger").addEventListener("click", () => resize((memory.size() + 1) % 3));

  const clear = document.getElementById("clear");
  clear.addEventListener("click", function () {
    if (!clear.dataset.sure) {
      clear.dataset.sure = "1";
      clear.textContent = "再点一次就清空";
      return;
    }
    memory.clear(newest);
    show.empty();
    welcome();
    closeMenu();
  });

  function closeMenu() {
    const more = document.getElementById("more");
    more.open = false;
    delete clear.dataset.sure;
    clear.textContent = "清空本机记录";
    return more;
  }

  document.addEventListener("click", (event) => { if (!event.target.closest("#more")) closeMenu(); });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && document.getElementById("more").open) closeMenu().querySelector("summary").focus();
  });

  box.addEventListener("input", grow);
  show.onAnswer(say);
  resize();
  start();
})();
