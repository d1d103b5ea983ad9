// The box to write in: text, files, voice notes, and what the + offers.
import { askFields, askPlace } from "./dialogs.js";
import { summary } from "./chat.js";
import { $, request, toast } from "./world.js";

const ad = { source_url: "https://example.com/summer", source_id: "120200000000000001", source_type: "ad", headline: "Garden chairs",
  body: "20 % off until Sunday", media_type: "image", image_url: "https://example.com/chairs.jpg", ctwa_clid: "local-click-1" };

// Composer is the lower end of a phone.
export class Composer {
  constructor(phone) {
    this.phone = phone;
    this.form = $(".composer", phone.node);
    this.text = $("textarea", this.form);
    this.listen();
    this.menu();
    this.files();
  }

  // quote has the next text answer a message; edit has it replace one; ad has it come from an advertisement.
  quote(message) {
    this.strip(message && "Reply to: " + summary(message), { reply_to: message?.id });
  }

  edit(message) {
    this.strip("Edit: " + summary(message), {}, message.id);
    this.text.value = message.text ?? "";
    this.fit();
  }

  strip(words, extra = {}, editing = "") {
    Object.assign(this, { extra: words ? extra : {}, editing: words ? editing : "" });
    const box = $(".quoting", this.form);
    box.hidden = !words;
    $("span", box).textContent = words ?? "";
    if (words) this.text.focus();
  }

  fit() {
    const empty = !this.text.value.trim();
    $(".send", this.form).hidden = empty;
    $(".mic", this.form).hidden = !empty;
  }

  listen() {
    this.strip(null);
    this.text.addEventListener("input", () => this.fit());
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    this.form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const text = this.text.value.trim();
      if (!text) return;
      const { extra, editing } = this;
      this.text.value = "";
      this.strip(null);
      this.fit();
      const done = editing ? await this.phone.call("edits", { message: editing, text }) : await this.phone.send({ text, ...extra });
      if (!done) {
        this.text.value = text;
        this.fit();
      }
    });
    $(".quoting button", this.form).addEventListener("click", () => {
      if (this.editing) this.text.value = "";
      this.strip(null);
      this.fit();
    });
    $(".mic", this.form).addEventListener("click", () => this.record());
  }

  menu() {
    const menu = $(".menu", this.form);
    const open = $(".attach", this.form);
    const show = (on) => {
      menu.hidden = !on;
      open.setAttribute("aria-expanded", String(on));
    };
    open.addEventListener("click", () => {
      show(menu.hidden);
      if (!menu.hidden) $("button", menu).focus();
    });
    this.form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || menu.hidden) return;
      show(false);
      open.focus();
    });
    this.form.addEventListener("focusout", (event) => this.form.contains(event.relatedTarget) || show(false));
    menu.addEventListener("mousedown", (event) => event.preventDefault()); // Safari does not focus buttons
    menu.addEventListener("click", (event) => {
      const what = event.target.dataset.do;
      if (!what) return;
      show(false);
      this.attach(what);
      this.fit();
    });
  }

  files() {
    $(".pick", this.form).addEventListener("change", ({ target }) => {
      for (const file of target.files) this.sendFile(file);
      target.value = "";
    });
    this.phone.node.addEventListener("dragover", (event) => event.preventDefault());
    this.phone.node.addEventListener("drop", (event) => {
      event.preventDefault();
      for (const file of event.dataTransfer.files) this.sendFile(file);
    });
  }

  caption() {
    const text = this.text.value.trim();
    this.text.value = "";
    this.fit();
    return text;
  }

  attach(what) {
    if (what === "location") return askPlace(this.phone);
    if (what === "card") return askCard(this.phone);
    if (what === "poll") return this.phone.send({ unsupported: "poll_creation" });
    if (what === "ad") return this.strip("The next message comes from the ad “Garden chairs”", { ad });
    if (what.startsWith("sample-")) {
      const kind = what.slice(7);
      return this.phone.call("sample", { kind, caption: ["voice", "sticker"].includes(kind) ? "" : this.caption() });
    }
    const pick = $(".pick", this.form);
    pick.accept = what === "photo" ? "image/jpeg,image/png,video/mp4" : "";
    pick.click();
  }

  async sendFile(file, voice = false) {
    const { customer, number, group } = this.phone;
    const query = new URLSearchParams({ number, group, name: file.name ?? "voice.ogg", voice: String(voice), caption: voice ? "" : this.caption() });
    try {
      await request("POST", `customers/${customer.id}/files?${query}`, file, { "Content-Type": file.type || "application/octet-stream" });
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
      const mic = $(".mic", this.form);
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

// askCard sends a contact card; replyTo is the question that it answers.
export function askCard(phone, replyTo) {
  askFields({ title: "Send a contact card", button: "Send", fields: [
    { name: "name", label: "Name", value: replyTo ? phone.customer.name : "Garden Centre" },
    { name: "phone", label: "Phone number", value: replyTo ? "+" + phone.customer.phone : "+1 202 555 0150" },
    { name: "email", label: "E-mail", value: "" },
    { name: "company", label: "Company", value: "" },
    { name: "plain", label: "Without a vCard", type: "checkbox" },
  ] }, (card) => phone.post({ cards: [{ ...card, origin: replyTo ? "contact_request" : undefined }], reply_to: replyTo }));
}
