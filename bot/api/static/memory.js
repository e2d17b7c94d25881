// What the browser itself keeps. The server does not store what a member says, so the words stay in this tab alone
// (sessionStorage) and are gone with it; the tabs that are open tell one another.
(function () {
  "use strict";

  const MOST = 60;
  const KEPT = 24 * 3600 * 1000;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("niangjiaren") : null;
  let key = "";
  let words = [];

  function read(store, name) {
    try {
      return JSON.parse(window[store].getItem(name));
    } catch (error) {
      return null; // Storage is refused, or holds something else.
    }
  }

  function write(store, name, value) {
    try {
      window[store].setItem(name, JSON.stringify(value));
    } catch (error) {
      // A full or refused store: the conversation goes on without it.
    }
  }

  function save() {
    write("sessionStorage", "njr.words", { key: key, words: words });
  }

  function tell(what) {
    if (channel) channel.postMessage(Object.assign({ key: key }, what));
  }

  window.njrMemory = {
    // The words of a conversation; those of any other are dropped.
    open: function (conversation) {
      const kept = read("sessionStorage", "njr.words");
      key = conversation;
      words = kept && kept.key === key ? kept.words.filter((word) => word.at > Date.now() - KEPT) : [];
      save();
      return words;
    },
    // A word is {id, text, label, after, at, done}: said after the reply `after`, `done` once it is answered.
    add: function (word, told) {
      words = words.concat(word).slice(-MOST);
      save();
      if (!told) tell({ said: word });
    },
    done: function (id, told) {
      words.filter((word) => word.id === id).forEach((word) => { word.done = true; });
      save();
      if (!told) tell({ done: id });
    },
    // Forgets the words; what was said up to `last` is not shown on this device again.
    clear: function (last, told) {
      words = [];
      save();
      write("localStorage", "njr.cleared", { key: key, last: last });
      if (!told) tell({ cleared: true });
    },
    cleared: function () {
      const mark = read("localStorage", "njr.cleared");
      return mark && mark.key === key ? mark.last : 0;
    },
    // What other tabs of the same conversation tell.
    listen: function (heard) {
      if (!channel) return;
      channel.onmessage = function (event) {
        if (event.data.key === key) heard(event.data);
      };
    },
    size: function (chosen) {
      if (chosen !== undefined) write("localStorage", "njr.size", chosen);
      return read("localStorage", "njr.size") || 0;
    }
  };
})();
