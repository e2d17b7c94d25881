(function () {
  "use strict";

  var RETRIES = [1000, 3000, 6000];
  var PATIENCE = 30000;

  var log = document.getElementById("log");
  var form = document.getElementById("form");
  var box = document.getElementById("text");
  var state = document.getElementById("state");
  var people = document.getElementById("person");
  var source = null;
  var reconnect = 0;
  var last = "0";
  var seen = {};
  var visit = 0;
  var current = { demo: false, person: "", people: [], officer: false };
  var queue = Promise.resolve();

  function element(name, className, text) {
    var made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  function later(milliseconds) {
    return new Promise(function (done) { setTimeout(done, milliseconds); });
  }

  function newId() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, function (byte) { return ("0" + byte.toString(16)).slice(-2); }).join("");
  }

  function tell(text) {
    state.textContent = text;
    state.hidden = !text;
  }

  // Showing

  function append(node) {
    var atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 120;
    log.appendChild(node);
    if (atEnd || node.classList.contains("own")) log.scrollTop = log.scrollHeight;
  }

  function bubble(text, own) {
    var said = element("div", own ? "said own" : "said");
    said.appendChild(element("span", "unseen", own ? "我说：" : "娘家人说："));
    said.appendChild(element("div", "bubble", text));
    return said;
  }

  function optionButtons(options) {
    var row = element("div", "options");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", "可以点选");
    options.forEach(function (option) {
      var button = element("button", "", option.label);
      button.type = "button";
      button.addEventListener("click", function () {
        row.querySelectorAll("button").forEach(function (each) { each.disabled = true; });
        button.className = "chosen";
        say(option.value, option.label);
      });
      row.appendChild(button);
    });
    return row;
  }

  function showReply(reply) {
    var said = bubble(reply.text, false);
    if (reply.link && /^(https?:\/\/|\/)/.test(reply.link)) {
      var link = element("a", "", "打开链接");
      link.href = reply.link;
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      said.querySelector(".bubble").appendChild(link);
    }
    if (reply.options && reply.options.length) said.appendChild(optionButtons(reply.options));
    append(said);
  }

  function showTyping() {
    var said = element("div", "said");
    var dots = element("div", "bubble typing");
    said.setAttribute("role", "status");
    said.appendChild(element("span", "unseen", "正在输入"));
    for (var i = 0; i < 3; i++) dots.appendChild(element("i"));
    said.appendChild(dots);
    append(said);
    return said;
  }

  function welcome() {
    var parts = document.getElementById("welcome").content;
    var examples = Array.from(parts.querySelectorAll("button"), function (button) {
      return { label: button.textContent, value: button.textContent };
    });
    showReply({ text: parts.querySelector("p").textContent, options: examples });
  }

  // Talking

  function post(path, body) {
    var asked = fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body)
    });
    var tooLate = later(PATIENCE).then(function () { throw new Error("no answer"); });
    return Promise.race([asked, tooLate]);
  }

  // The same message_id goes out with every try, so that nothing is ever done twice.
  async function deliver(message, during) {
    for (var attempt = 0; during === visit; attempt++) {
      var wait = RETRIES[attempt];
      try {
        var answer = await post("/api/v1/chat", message);
        if (answer.ok) return (await answer.json()).replies;
        if (answer.status === 401 && attempt === 0) {
          await renew();
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
    return [];
  }

  function say(text, label) {
    var own = bubble(label || text, true);
    append(own);
    send(own, { message_id: newId(), text: text, chat: "private" }, visit);
  }

  function send(own, message, during) {
    queue = queue.then(async function () {
      if (during !== visit) return;
      var typing = showTyping();
      try {
        var replies = await deliver(message, during);
        typing.remove();
        if (during === visit) replies.forEach(showReply);
      } catch (error) {
        typing.remove();
        offerAgain(own, message, during);
      }
    });
  }

  function offerAgain(own, message, during) {
    var again = element("button", "again", "没有发出去，点这里重试");
    again.type = "button";
    again.addEventListener("click", function () {
      again.remove();
      send(own, message, during);
    });
    own.appendChild(again);
  }

  // Listening

  function listen() {
    clearTimeout(reconnect);
    if (source) source.close();
    source = new EventSource("/api/v1/events?after=" + last);
    source.onopen = function () { tell(""); };
    source.onmessage = function (event) {
      last = event.lastEventId;
      if (seen[last]) return;
      seen[last] = true;
      showReply(JSON.parse(event.data));
    };
    source.onerror = function () {
      tell("连接断了，正在重新连接…");
      // The browser goes on by itself after a broken line, but gives up after a refusal.
      if (source.readyState === 2) reconnect = setTimeout(function () { start(); }, 5000);
    };
  }

  // Starting

  function showSession(session) {
    current = session;
    document.getElementById("demo").hidden = !session.demo;
    document.getElementById("console").hidden = !session.officer;
    people.textContent = "";
    session.people.forEach(function (name) {
      var option = element("option", "", name);
      option.selected = name === session.person;
      people.appendChild(option);
    });
    if (!session.person) people.selectedIndex = -1;
  }

  async function open(wanted, during) {
    var answer = await post("/api/v1/session", wanted ? { person: wanted } : {});
    var session = await answer.json();
    if (!answer.ok) throw new Error(session.error.message);
    if (during !== visit) return;
    // An officer whose session has ended must not go on as a visitor without noticing.
    if (current.officer && !session.officer && !wanted) {
      location.href = "/console/";
      throw new Error("signed out");
    }
    showSession(session);
    listen();
  }

  function renew() {
    return open(current.person, visit);
  }

  async function start(wanted) {
    var during = visit;
    try {
      await open(wanted, during);
    } catch (error) {
      if (during !== visit) return;
      tell("现在连不上，稍后会自动再试。");
      reconnect = setTimeout(function () { start(wanted); }, 5000);
    }
  }

  people.addEventListener("change", function () {
    visit += 1;
    queue = Promise.resolve();
    last = "0";
    seen = {};
    if (source) source.close();
    clearTimeout(reconnect);
    log.textContent = "";
    welcome();
    start(people.value);
  });

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var text = box.value.trim();
    if (!text) return;
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
    if (box.scrollHeight > box.clientHeight) box.style.height = box.scrollHeight + 2 + "px";
  }

  box.addEventListener("input", grow);
  welcome();
  start();
})();
