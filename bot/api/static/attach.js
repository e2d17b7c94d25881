// Files of the next message: handed over as soon as they are chosen, shown above the text, sent with it.
(function () {
  "use strict";

  const show = window.njrShow;
  const tray = document.getElementById("tray");
  const input = document.getElementById("file");
  const pick = document.getElementById("attach");
  let chosen = [];

  function draw() {
    tray.textContent = "";
    tray.hidden = !chosen.length;
    chosen.forEach(function (each) {
      const item = show.element("li");
      if (each.thumbnail) {
        const picture = show.element("img");
        picture.src = each.thumbnail;
        picture.alt = "";
        item.appendChild(picture);
      }
      item.appendChild(show.element("span", "", each.id ? each.name : each.name + "（正在上传…）"));
      const drop = show.button("×", "plain", () => remove(each));
      drop.setAttribute("aria-label", "去掉 " + each.name);
      item.appendChild(drop);
      tray.appendChild(item);
    });
    show.toEnd();
  }

  function remove(each) {
    chosen = chosen.filter((other) => other !== each);
    if (each.id) fetch("/api/v1/files/" + each.id, { method: "DELETE", credentials: "same-origin" }).catch(() => {});
    draw();
    pick.focus();
  }

  async function upload(file) {
    const each = { id: "", name: file.name, thumbnail: "" };
    const body = new FormData();
    body.append("file", file);
    chosen.push(each);
    draw();
    let refusal = "“" + file.name + "”没有传上来，请检查网络后再试。";
    try {
      const answer = await fetch("/api/v1/files", { method: "POST", credentials: "same-origin", body: body });
      const told = await answer.json();
      if (answer.ok) {
        Object.assign(each, told);
        refusal = "";
      } else {
        refusal = "“" + file.name + "”：" + told.error.message;
      }
    } catch (error) {
      // The network: told below.
    }
    if (refusal) {
      chosen = chosen.filter((other) => other !== each);
      show.reply({ text: refusal });
    }
    draw();
  }

  pick.addEventListener("click", () => input.click());
  input.addEventListener("change", function () {
    Array.from(input.files).forEach(upload);
    input.value = "";
  });

  window.njrAttach = {
    offer: function (wanted) { pick.hidden = !wanted; },
    holds: () => chosen.length > 0,
    waiting: () => chosen.some((each) => !each.id),
    take: function () {
      const taken = chosen.map((each) => ({ id: each.id, name: each.name, thumbnail: each.thumbnail || "" }));
      chosen = [];
      draw();
      return taken;
    }
  };
})();
