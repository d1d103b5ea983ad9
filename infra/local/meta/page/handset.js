// One phone: the chat with the business, and the box to write in.
import { askOption, askPlace } from "./dialogs.js";
import { draw, el, summary } from "./chat.js";
import { $, avatar, details, phoneNumber, request, toast, world } from "./world.js";

// Handset is one customer's phone on the desk.
export class Handset {
  constructor(customer, putAway) {
    this.customer = customer;
    this.node = $("#phone").content.cloneNode(true).firstElementChild;
    this.log = $(".log", this.node);
    this.text = $("textarea", this.node);
    this.items = new Map();
    this.number = world.numbers[0].id;
    this.node.setAttribute("aria-label", `Phone of ${customer.name}`);
    avatar($(".who .avatar", this.node), customer);
    $("h2", this.node).textContent = customer.name;
    $(".who p", this.node).textContent = details(customer);
    $(".bar .avatar", this.node).textContent = world.business.slice(0, 1);
    $(".business", this.node).textContent = world.business;
    $(".hide", this.node).addEventListener("click", putAway);
    this.chooseNumber();
    this.compose();
    this.redraw();
  }

  chooseNumber() {
    const select = $(".number", this.node);
    select.hidden = world.numbers.length < 2;
    select.append(...world.numbers.map(({ id, display }) => el("option", { value: id }, phoneNumber(display))));
    select.addEventListener("change", () => {
      this.number = select.value;
      this.redraw();
      this.shown();
    });
    this.quiet();
  }

  quiet() {
    $(".presence", this.node).textContent = phoneNumber(world.numbers.find(({ id }) => id === this.number).display);
  }

  typing() {
    $(".presence", this.node).textContent = "typing…";
    clearTimeout(this.typingTimer);
    this.typingTimer = setTimeout(() => this.quiet(), 25000);
  }

  list() {
    const all = [...(world.messages.get(this.customer.id)?.values() ?? [])];
    return all.filter((m) => m.number === this.number).sort((a, b) => a.seq - b.seq);
  }

  redraw() {
    this.items.clear();
    this.log.replaceChildren();
    this.quiet();
    this.update();
  }

  // update draws what is new or changed and leaves the rest alone: a playing voice note goes on.
  update() {
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
    let before = null;
    const order = [];
    for (const message of this.list()) {
      const day = new Date(message.at).toDateString();
      if (!before || new Date(before.at).toDateString() !== day) order.push(this.item("day " + day, day, () => dayLine(day)));
      const turn = !before || before.business !== message.business;
      const quoted = world.messages.get(this.customer.id)?.get(message.reply_to);
      order.push(this.item(message.id, JSON.stringify([message, turn]), () => draw(message, quoted, turn, this.actions)));
      before = message;
    }
    if (!order.length) order.push(this.item("empty", "", () => el("li", { class: "empty" }, "Write to the business, or send a photo. What you send goes out as a signed webhook.")));
    const keep = new Set(order);
    for (const child of [...this.log.children]) if (!keep.has(child)) child.remove();
    order.forEach((node, i) => this.log.children[i] !== node && this.log.insertBefore(node, this.log.children[i] ?? null));
    if (atEnd) this.toEnd();
  }

  item(key, version, make) {
    const known = this.items.get(key);
    if (known?.version === version) return known.node;
    const node = make();
    this.items.set(key, { version, node });
    return node;
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    for (const img of this.log.querySelectorAll("img")) if (!img.complete) img.addEventListener("load", () => (this.log.scrollTop = this.log.scrollHeight), { once: true });
  }

  // shown tells that somebody looks at this chat: what was delivered is read.
  shown() {
    this.update();
    if (document.visibilityState !== "visible" || !this.node.isConnected) return;
    if (this.list().some((m) => m.business && m.status === "delivered")) this.call("seen", { number: this.number });
  }

  async call(what, body) {
    try {
      await request("POST", `customers/${this.customer.id}/${what}`, body);
      return true;
    } catch (error) {
      toast(error);
      return false;
    }
  }

  get actions() {
    return {
      answer: (message, option) => option.kind === "location" ? askPlace(this, message.id) : this.send({ option: option.id, reply_to: message.id }),
      open: (message) => askOption(this, message),
      reply: (message) => this.quote(message),
      played: (message) => request("POST", "played", { message: message.id }).catch(toast),
    };
  }

  async send(body) {
    this.toEnd();
    return this.call("messages", { number: this.number, ...body });
  }

  quote(message) {
    this.replyTo = message?.id;
    const box = $(".quoting", this.node);
    box.hidden = !message;
    $("span", box).textContent = message ? "Reply to: " + summary(message) : "";
    if (message) this.text.focus();
  }

  compose() {
    const form = $(".composer", this.node);
    const menu = $(".menu", form);
    const attach = $(".attach", form);
    const show = (open) => {
      menu.hidden = !open;
      attach.setAttribute("aria-expanded", String(open));
    };
    const fit = () => {
      const empty = !this.text.value.trim();
      $(".send", form).hidden = empty;
      $(".mic", form).hidden = !empty;
    };
    attach.addEventListener("click", () => {
      show(menu.hidden);
      if (!menu.hidden) $("button", menu).focus();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || menu.hidden) return;
      show(false);
      attach.focus();
    });
    form.addEventListener("focusout", (event) => form.contains(event.relatedTarget) || show(false));
    menu.addEventListener("mousedown", (event) => event.preventDefault()); // Safari does not focus buttons
    menu.addEventListener("click", (event) => {
      const what = event.target.dataset.do;
      if (!what) return;
      show(false);
      this.attach(what);
      fit();
    });
    this.text.addEventListener("input", fit);
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const text = this.text.value.trim();
      if (!text) return;
      const replyTo = this.replyTo;
      this.text.value = "";
      this.quote(null);
      fit();
      if (!(await this.send({ text, reply_to: replyTo }))) {
        this.text.value = text;
        fit();
      }
    });
    $(".quoting button", form).addEventListener("click", () => this.quote(null));
    $(".pick", form).addEventListener("change", ({ target }) => {
      for (const file of target.files) this.sendFile(file);
      target.value = "";
    });
    this.node.addEventListener("dragover", (event) => event.preventDefault());
    this.node.addEventListener("drop", (event) => {
      event.preventDefault();
      for (const file of event.dataTransfer.files) this.sendFile(file);
    });
    $(".mic", form).addEventListener("click", () => this.record());
  }

  caption() {
    const text = this.text.value.trim();
    this.text.value = "";
    this.text.dispatchEvent(new Event("input"));
    return text;
  }

  attach(what) {
    if (what === "location") return askPlace(this);
    if (what.startsWith("sample-")) {
      const kind = what.slice(7);
      return this.call("sample", { number: this.number, kind, caption: kind === "voice" ? "" : this.caption() });
    }
    const pick = $(".pick", this.node);
    pick.accept = what === "photo" ? "image/jpeg,image/png,video/mp4" : "";
    pick.click();
  }

  async sendFile(file, voice = false) {
    const query = new URLSearchParams({ number: this.number, name: file.name ?? "voice.ogg", voice: String(voice), caption: voice ? "" : this.caption() });
    try {
      await request("POST", `customers/${this.customer.id}/files?${query}`, file, { "Content-Type": file.type || "application/octet-stream" });
    } catch (error) {
      toast(error);
    }
  }

  // record makes a voice note where the browser can write Ogg/Opus, as phones do; elsewhere a sample is sent.
  async record() {
    if (this.recorder?.state === "recording") return this.recorder.stop();
    const type = "audio/ogg;codecs=opus";
    if (!navigator.mediaDevices || !window.MediaRecorder?.isTypeSupported(type)) return this.attach("sample-voice");
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      this.recorder = new MediaRecorder(stream, { mimeType: type });
      const chunks = [];
      const mic = $(".mic", this.node);
      this.recorder.ondataavailable = (event) => chunks.push(event.data);
      this.recorder.onstop = () => {
        for (const track of stream.getTracks()) track.stop();
        mic.classList.remove("recording");
        mic.setAttribute("aria-label", "Voice note");
        this.sendFile(new Blob(chunks, { type }), true);
      };
      mic.classList.add("recording");
      mic.setAttribute("aria-label", "Stop and send the voice note");
      this.recorder.start();
    } catch {
      toast(new Error("The microphone cannot be used. The menu on the left has a sample voice note."));
    }
  }
}

function dayLine(day) {
  const today = new Date().toDateString() === day;
  return el("li", { class: "day" }, today ? "Today" : new Date(day).toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" }));
}
