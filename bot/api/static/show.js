// What is drawn in the conversation: bubbles, options, times, cards. Text never becomes markup.
(function () {
  "use strict";

  const TIME = /^(\d+月\d+日)\((周.)\)(\d\d:\d\d.*)$/;
  const PHONE = /(^|[^\d-])(\d{3,4}-\d{7,8}|12356|12338|110|120)(?!\s*[\d人位名元号室楼分年月日.%-])/g;
  const PAUSE = 5 * 60 * 1000;
  const log = document.getElementById("log");
  let answer = function () {};
  let typing = null;
  let byKeyboard = false;
  let lastAt = 0;
  let atEnd = true;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  function button(text, className, act) {
    const made = element("button", className, text);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  }

  function append(node, own) {
    log.insertBefore(node, typing);
    if (own) atEnd = true;
    toEnd();
  }

  // Whoever reads the newest goes on reading it, when more is said and when a keyboard or files take their room.
  function toEnd() {
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  log.addEventListener("scroll", function () {
    atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 160;
  });
  window.addEventListener("resize", toEnd);

  function clock(at) {
    const day = new Date(at);
    const time = ("0" + day.getHours()).slice(-2) + ":" + ("0" + day.getMinutes()).slice(-2);
    const today = new Date().toDateString() === day.toDateString();
    return today ? time : day.getMonth() + 1 + "月" + day.getDate() + "日 " + time;
  }

  function bubble(own, text) {
    const said = element("div", own ? "said own" : "said");
    said.appendChild(element("span", "unseen", own ? "我说：" : "娘家人说："));
    const inside = element("div", "bubble");
    let end = 0;
    text.replace(PHONE, function (all, before, number, start) {
      const from = start + before.length;
      inside.appendChild(document.createTextNode(text.slice(end, from)));
      const call = element("a", "call", number);
      call.href = "tel:" + number;
      inside.appendChild(call);
      end = from + number.length;
    });
    inside.appendChild(document.createTextNode(text.slice(end)));
    said.appendChild(inside);
    return said;
  }

  // Options

  function choose(row, chosen, option, event) {
    byKeyboard = event.detail === 0;
    row.querySelectorAll("button, input").forEach((each) => { each.disabled = true; });
    if (chosen) chosen.classList.add("chosen");
    if (byKeyboard) log.focus();
    answer(option.value, option.label);
  }

  function optionButton(row, option, text, number) {
    const made = button("", "", (event) => choose(row, made, option, event));
    if (number) {
      const figure = element("i", "", String(number));
      figure.setAttribute("aria-hidden", "true");
      made.appendChild(figure);
    }
    made.appendChild(document.createTextNode(text));
    // An answer to a notice carries its code, and stays good; one to a question is good until the next is asked.
    if (option.value === option.label) made.dataset.passing = "1";
    return made;
  }

  function dayRow(row, name, weekday) {
    const day = element("div", "day");
    day.setAttribute("role", "group");
    day.setAttribute("aria-label", name + " " + weekday);
    day.appendChild(element("span", "date", name + " " + weekday));
    row.appendChild(day);
    return day;
  }

  function otherDay(row) {
    const label = element("label", "other", "别的日子 ");
    const input = element("input");
    const now = new Date();
    input.type = "date";
    input.dataset.passing = "1";
    input.min = new Date(now.getTime() - now.getTimezoneOffset() * 60000).toISOString().slice(0, 10);
    const take = button("看这天", "", function (event) {
      const parts = input.value.split("-").map(Number);
      if (parts.length !== 3) return input.focus();
      const text = parts[1] + "月" + parts[2] + "日";
      choose(row, take, { value: text, label: text }, event);
    });
    take.dataset.passing = "1";
    label.appendChild(input);
    const line = element("div", "line");
    line.appendChild(label);
    line.appendChild(take);
    row.appendChild(line);
  }

  // A number that is typed picks an answer to the question: the others show none.
  function optionRow(options, numbered) {
    const row = element("div", "options");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", "可以点选");
    const times = options.map((option) => TIME.exec(option.label));
    const picking = times.filter(Boolean).length > 1;
    let day = null;
    options.forEach(function (option, index) {
      const time = picking && times[index];
      if (!time) {
        row.appendChild(optionButton(row, option, option.label, numbered && !picking ? index + 1 : 0));
        return;
      }
      if (!day || day.dataset.day !== time[1]) {
        day = dayRow(row, time[1], time[2]);
        day.dataset.day = time[1];
      }
      const made = optionButton(row, option, time[3], 0);
      made.setAttribute("aria-label", option.label);
      day.appendChild(made);
    });
    if (picking) {
      row.classList.add("times");
      otherDay(row);
    }
    return row;
  }

  function settle(within) {
    within.querySelectorAll("[data-passing]").forEach((each) => { each.disabled = true; });
  }

  // Cards

  function cardOf(card) {
    const made = element("div", "card");
    made.appendChild(element("h2", "", card.title));
    const rows = element("dl");
    card.rows.forEach(function (row) {
      rows.appendChild(element("dt", "", row[0]));
      rows.appendChild(element("dd", "", row[1]));
    });
    made.appendChild(rows);
    const acts = element("p", "acts");
    const file = element("a", "plain", "加到手机日历");
    file.href = card.ics;
    acts.appendChild(file);
    const code = element("img", "code");
    code.alt = "二维码：用另一部手机扫，把这次预约加到它的日历";
    code.hidden = true;
    const show = button("二维码", "plain", function () {
      code.src = card.qr;
      code.hidden = !code.hidden;
      show.setAttribute("aria-expanded", String(!code.hidden));
      if (!code.hidden) code.scrollIntoView({ block: "nearest" });
    });
    show.setAttribute("aria-expanded", "false");
    acts.appendChild(show);
    made.appendChild(acts);
    made.appendChild(code);
    return made;
  }

  // Messages

  function replyOf(reply) {
    const said = bubble(false, reply.text);
    const inside = said.querySelector(".bubble");
    if (reply.card) {
      inside.appendChild(cardOf(reply.card));
    } else if (reply.link && /^(https?:\/\/|\/(?!\/))/.test(reply.link)) {
      const link = element("a", "link", "打开链接");
      link.href = reply.link;
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      inside.appendChild(link);
    }
    showFiles(inside, reply.files, true);
    const options = reply.options || [];
    const numbered = reply.reply && options.length > 1 && options.every((option) => option.value === option.label);
    if (options.length) said.appendChild(optionRow(options, numbered));
    return said;
  }

  function ownOf(word) {
    const said = bubble(true, word.label || word.text);
    showFiles(said.querySelector(".bubble"), word.files, false);
    return said;
  }

  // What has gone meanwhile keeps its name, and no picture.
  function showFiles(inside, files, open) {
    (files || []).forEach(function (file) {
      const item = element(open ? "a" : "p", "file", file.name);
      if (open) {
        item.href = "/api/v1/files/" + file.id;
        item.target = "_blank";
      }
      if (file.thumbnail) {
        const picture = element("img");
        picture.src = file.thumbnail;
        picture.alt = "";
        picture.addEventListener("error", () => picture.remove());
        item.insertBefore(picture, item.firstChild);
      }
      inside.appendChild(item);
    });
  }

  function at(moment) {
    if (moment - lastAt > PAUSE) append(element("p", "at", clock(moment)));
    lastAt = Math.max(lastAt, moment);
  }

  // Positions count microseconds: what is said by the union tells its own time.
  function timeOf(reply) {
    return reply.id ? Number(reply.id) / 1000 : Date.now();
  }

  function toNext(said) {
    if (!byKeyboard) return;
    byKeyboard = false;
    const first = said.querySelector(".options button:enabled");
    (first || document.getElementById("text")).focus();
  }

  window.njrShow = {
    element: element,
    button: button,
    toEnd: toEnd,
    onAnswer: function (act) { answer = act; },
    reply: function (reply) {
      at(timeOf(reply));
      if (reply.reply) settle(log);
      const said = replyOf(reply);
      append(said);
      toNext(said);
      return said;
    },
    own: function (word) {
      at(word.at);
      settle(log);
      const said = ownOf(word);
      append(said, true);
      return said;
    },
    // What was said before all that is there; nothing of it can be answered but what carries a code.
    earlier: function (items) {
      const top = log.firstChild;
      const height = log.scrollHeight;
      items.forEach(function (item) {
        const said = item.own ? ownOf(item.own) : replyOf(item.reply);
        settle(said);
        log.insertBefore(said, top);
      });
      log.scrollTop += log.scrollHeight - height;
    },
    first: function (node) { log.insertBefore(node, log.firstChild); },
    typing: function () {
      const dots = element("div", "bubble dots");
      const said = element("div", "said typing");
      said.setAttribute("role", "status");
      said.appendChild(element("span", "unseen", "正在输入"));
      for (let i = 0; i < 3; i++) dots.appendChild(element("i"));
      said.appendChild(dots);
      append(said);
      typing = said;
    },
    typed: function () {
      if (typing) typing.remove();
      typing = null;
    },
    empty: function () {
      log.textContent = "";
      typing = null;
      lastAt = 0;
    }
  };
})();
