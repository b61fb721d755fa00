// Signs in, keeps the line to the app, and does for the app what only a browser can: copy, save, choose a file.
//
// The terminal itself is xterm.js as textual-serve bundles it (terminal.js). That script opens one WebSocket and
// never a second; so it is given a Line in place of it, which looks like a WebSocket that is always open.
"use strict";

(() => {
  const texts = JSON.parse(document.getElementById("texts").textContent);
  const state = document.getElementById("state");
  const file = document.getElementById("file");
  const RealWebSocket = window.WebSocket;
  const LEFT = 4000, ELSEWHERE = 4001, FAILED = 4002;
  const SLOWEST = 5000, FIRST = 250, PATIENCE = 800;
  let visit = sessionStorage.getItem("visit") || "";

  document.documentElement.lang = texts.lang;
  document.title = texts.title;
  if (texts.badge) {
    document.getElementById("badge").textContent = texts.badge;
    document.getElementById("badge").hidden = false;
  }

  function say(text) {
    state.textContent = text;
    state.hidden = !text;
    document.body.classList.toggle("waits", Boolean(text));
  }

  function note(text) {
    state.textContent = text;
    state.hidden = false;
    setTimeout(() => { if (state.textContent === text) state.hidden = true; }, 8000);
  }

  // Resolves when the dialog is closed by its button or by Escape.
  function show(title, text, button, content) {
    const dialog = document.getElementById("message");
    const area = dialog.querySelector("textarea");
    dialog.querySelector("h1").textContent = title;
    dialog.querySelector(".text").textContent = text;
    dialog.querySelector("button").textContent = button;
    area.hidden = content === undefined;
    area.value = content || "";
    if (!dialog.open) dialog.showModal();
    if (!area.hidden) { area.focus(); area.select(); }
    return new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  }

  function focusTerminal() {
    const typed = document.querySelector(".xterm-helper-textarea");
    if (typed) typed.focus();
  }

  // ---- signing in ----

  // An empty text when it worked, or why it did not.
  async function signIn(token) {
    const answer = await fetch("session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
    return answer.ok ? "" : await answer.text();
  }

  async function knowsUs() {
    return (await fetch("session")).ok;
  }

  async function askForToken(fault) {
    const dialog = document.getElementById("sign-in");
    const input = dialog.querySelector("input");
    dialog.querySelector("h1").textContent = texts.signInTitle;
    dialog.querySelector(".text").textContent = texts.signInText;
    dialog.querySelector("label span").textContent = texts.token;
    dialog.querySelector("button").textContent = texts.signIn;
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    for (;;) {
      dialog.querySelector(".fault").textContent = fault;
      input.value = "";
      if (!dialog.open) dialog.showModal();
      await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
      fault = await signIn(input.value.trim().replace(/^.*#/, ""));
      input.value = "";
      if (!fault) return;
    }
  }

  async function enter() {
    const token = decodeURIComponent(location.hash.slice(1));
    if (token) {
      history.replaceState(null, "", location.pathname);
      const fault = await signIn(token);
      if (fault) await askForToken(fault);
    } else if (!(await knowsUs())) {
      await askForToken("");
    }
  }

  addEventListener("hashchange", () => { if (location.hash.length > 1) location.reload(); });

  // ---- the line to the app ----

  class Line extends EventTarget {
    constructor(url) {
      super();
      const asked = new URL(url, location.href).searchParams;
      this.size = { width: asked.get("width"), height: asked.get("height") };
      this.wait = FIRST;
      this.isOver = false;
      Line.current = this;
      this.open();
    }

    open() {
      const url = new URL("line", location.href);
      url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
      url.search = new URLSearchParams({ ...this.size, visit });
      const slow = setTimeout(() => say(texts.waiting), PATIENCE);
      const socket = new RealWebSocket(url);
      socket.binaryType = "arraybuffer";
      this.socket = socket;
      socket.addEventListener("open", () => {
        clearTimeout(slow);
        say("");
        this.wait = FIRST;
        this.dispatchEvent(new Event("open"));
      });
      socket.addEventListener("message", (event) => this.take(event));
      socket.addEventListener("close", (event) => { clearTimeout(slow); this.closed(event.code); });
    }

    take(event) {
      if (typeof event.data === "string") {
        const [kind, data] = JSON.parse(event.data);
        if (kind in actions) { actions[kind](data); return; }
      }
      this.dispatchEvent(new MessageEvent("message", { data: event.data }));
    }

    send(text) {
      const [kind, data] = JSON.parse(text);
      if (kind === "resize") this.size = data;
      if (this.socket.readyState === RealWebSocket.OPEN) this.socket.send(text);
    }

    async closed(code) {
      if (this.isOver) return;
      if (code === LEFT || code === ELSEWHERE || code === FAILED) {
        this.isOver = true;
        say("");
        const why = { [LEFT]: "left", [ELSEWHERE]: "elsewhere", [FAILED]: "failed" }[code];
        await show(texts[`${why}Title`], texts[`${why}Text`], texts[`${why}Button`]);
        if (code !== ELSEWHERE) visit = "";
        this.isOver = false;
        this.open();
        focusTerminal();
        return;
      }
      say(texts.lost);
      await new Promise((resolve) => setTimeout(resolve, this.wait));
      this.wait = Math.min(this.wait * 2, SLOWEST);
      try {
        const answer = await fetch("session");
        if (answer.status === 403) { say(""); await askForToken(texts.otherToken); }
        else if (answer.status === 503) {
          this.isOver = true;
          say("");
          await show(texts.fullTitle, await answer.text(), texts.fullButton);
          this.isOver = false;
        }
      } catch { /* the server is not there; the next try will tell */ }
      this.open();
    }
  }

  const actions = {
    visit(key) { visit = key; sessionStorage.setItem("visit", key); },
    ground({ colour }) {
      document.documentElement.style.setProperty("--ground", colour);
      const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
      document.documentElement.classList.toggle("light", red * 0.3 + green * 0.59 + blue * 0.11 > 128);
    },
    async copy({ text }) {
      try { await navigator.clipboard.writeText(text); } catch {
        await show(texts.copyTitle, texts.copyText, texts.close, text);
        focusTerminal();
      }
    },
    download({ name, text }) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    },
    choose_file() { file.click(); },
  };

  // ---- files from this computer ----

  async function upload(chosen) {
    for (const one of chosen) {
      if (one.size > texts.largest) { note(texts.tooLarge.replace("{name}", one.name)); continue; }
      try {
        const headers = { "X-Visit": visit, "X-Name": encodeURIComponent(one.name) };
        const answer = await fetch("upload", { method: "POST", headers, body: one });
        if (!answer.ok) note(await answer.text());
      } catch { note(texts.lost); }
    }
    focusTerminal();
  }

  file.addEventListener("change", async () => { await upload([...file.files]); file.value = ""; });
  addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("drops"); });
  addEventListener("dragleave", () => document.body.classList.remove("drops"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("drops");
    upload([...event.dataTransfer.files]);
  });

  // ---- the terminal ----

  function terminalScript() {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = "terminal.js";
      script.addEventListener("load", () => {
        const begin = window.onload;
        window.onload = null;
        resolve(begin);
      });
      script.addEventListener("error", reject);
      document.head.append(script);
    });
  }

  async function main() {
    window.WebSocket = Line;
    const parts = [terminalScript(), document.fonts.load('15px "Roboto Mono"'), enter()];
    const [begin] = await Promise.all(parts);
    begin();
    focusTerminal();
    document.addEventListener("click", (event) => { if (!event.target.closest("dialog")) focusTerminal(); });
  }

  main();
})();
