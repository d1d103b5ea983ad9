// The page: what the simulated Meta knows comes by one event stream; what a person does goes back as small requests.
import { draw, el, icon, summary } from "./chat.js";

const $ = (selector, root = document) => root.querySelector(selector);
const narrow = matchMedia("(max-width: 759px)");
const hues = ["#3f6fa3", "#8a4f9e", "#2f7d5b", "#a3553f", "#5a6472", "#8a6d1d"];
const world = { business: "", numbers: [], customers: new Map(), messages: new Map(), faults: {} };
const phones = new Map(); // customer id → Phone, of the phones on the desk
let current = null; // the one phone that a narrow page shows

async function request(method, path, body, headers = { "Content-Type": "application/json" }) {
  let answer;
  try {
    answer = await fetch("api/" + path, { method, headers, body: body instanceof Blob ? body : JSON.stringify(body ?? {}) });
  } catch {
    throw new Error("The simulated Meta does not answer. Is it still running?");
  }
  if (answer.ok) return;
  const { error } = await answer.json().catch(() => ({}));
  throw new Error(error ? error[0].toUpperCase() + error.slice(1) + "." : `The simulated Meta answers ${answer.status}.`);
}

let toastTimer;
function toast(error) {
  $("#toast").textContent = error.message;
  $("#toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => ($("#toast").hidden = true), 6000);
}

// ---- customers

function details(customer) {
  const parts = [customer.phone && "+" + customer.phone, customer.username && "@" + customer.username].filter(Boolean);
  return (parts.join(" · ") || "no phone number") + (customer.phone ? "" : " · number hidden");
}

function avatar(node, customer) {
  node.textContent = customer.name.replace("+", "").slice(0, 1).toUpperCase();
  node.style.setProperty("--hue", hues[Number(customer.id.slice(1)) % hues.length]);
}

function unread(id) {
  let count = 0;
  for (const m of world.messages.get(id)?.values() ?? []) if (m.business && m.status === "delivered") count++;
  return count;
}

function drawPeople() {
  $("#people").replaceChildren(...[...world.customers.values()].map((customer) => {
    const on = narrow.matches ? customer.id === current : phones.has(customer.id);
    const face = el("span", { class: "avatar", "aria-hidden": "true" });
    avatar(face, customer);
    const chip = el("button", { type: "button", class: "chip", "aria-pressed": String(on), title: details(customer) }, face, customer.name);
    const waiting = unread(customer.id);
    if (waiting) chip.append(el("span", { class: "unread", "aria-label": `${waiting} unread` }, String(waiting)));
    chip.addEventListener("click", () => (narrow.matches || !on ? take(customer.id) : putAway(customer.id)));
    return el("li", {}, chip);
  }));
}

function take(id) {
  current = id;
  if (!phones.has(id)) phones.set(id, new Phone(world.customers.get(id)));
  arrange();
}

function putAway(id) {
  phones.delete(id);
  arrange();
}

// arrange puts the phones on the desk in the order of the customers and remembers which ones are there.
function arrange() {
  if (!phones.has(current)) current = phones.keys().next().value ?? null;
  const order = [...world.customers.keys()].filter((id) => (narrow.matches ? id === current : phones.has(id)));
  const desk = $("#phones");
  const wanted = order.map((id) => phones.get(id).node);
  if (wanted.length !== desk.childElementCount || wanted.some((node, i) => node !== desk.children[i])) desk.replaceChildren(...wanted);
  if (!wanted.length) desk.replaceChildren(el("p", { class: "empty" }, "Pick a customer above, or add one, to hold their phone."));
  localStorage.setItem("phones", JSON.stringify([...phones.keys()]));
  drawPeople();
  for (const id of order) phones.get(id).shown();
}

// ---- one phone

class Phone {
  constructor(customer) {
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
    $(".hide", this.node).addEventListener("click", () => putAway(customer.id));
    this.chooseNumber();
    this.compose();
    this.redraw();
  }

  chooseNumber() {
    const select = $(".number", this.node);
    select.hidden = world.numbers.length < 2;
    select.append(...world.numbers.map(({ id, display }) => el("option", { value: id }, display)));
    select.addEventListener("change", () => {
      this.number = select.value;
      this.redraw();
      this.shown();
    });
    this.quiet();
  }

  quiet() {
    $(".presence", this.node).textContent = world.numbers.find(({ id }) => id === this.number).display;
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

// ---- dialogs

// ask opens a dialog; when submitted, done gets its fields, and what it throws is shown inside.
function ask(id, done) {
  const dialog = $("#" + id);
  const form = $("form", dialog);
  $(".wrong", dialog).textContent = "";
  $(".cancel", dialog).onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await done(form.elements);
      dialog.close();
    } catch (error) {
      $(".wrong", dialog).textContent = error.message;
    }
  };
  dialog.showModal();
  return form.elements;
}

function askPlace(phone, replyTo) {
  ask("place", (fields) => {
    const [latitude, longitude] = [Number(fields.latitude.value), Number(fields.longitude.value)];
    if (Number.isNaN(latitude + longitude)) throw new Error("Latitude and longitude are numbers.");
    const place = { latitude, longitude, name: fields.name.value, address: fields.address.value };
    return request("POST", `customers/${phone.customer.id}/messages`, { number: phone.number, place, reply_to: replyTo });
  });
}

function askOption(phone, message) {
  $("#choose-title").textContent = message.menu;
  const box = $("#choose .options");
  box.replaceChildren();
  let section = "";
  for (const [i, option] of message.options.entries()) {
    if (option.section !== section && option.section) box.append(el("h3", {}, option.section));
    section = option.section;
    box.append(el("label", {}, el("input", { type: "radio", name: "option", value: option.id, checked: i === 0 }),
      el("span", {}, option.title, option.description ? el("small", {}, option.description) : "")));
  }
  ask("choose", (fields) => request("POST", `customers/${phone.customer.id}/messages`,
    { number: phone.number, option: fields.option.value, reply_to: message.id }));
}

$("#open-add").addEventListener("click", () => {
  const n = world.customers.size + 1;
  const fields = ask("add", (f) => request("POST", "customers",
    { name: f.name.value, phone: f.hidden.checked ? "" : f.phone.value, username: f.username.value }));
  fields.name.value = `Customer ${n}`;
  fields.phone.value = `+1 202 555 ${String(100 + n).padStart(4, "0")}`;
  fields.username.value = "";
  fields.hidden.checked = fields.phone.disabled = false;
  fields.hidden.onchange = () => {
    fields.phone.disabled = fields.hidden.checked;
    if (fields.hidden.checked && !fields.username.value) fields.username.value = `customer.${n}`;
  };
  fields.name.select();
});

$("#open-trouble").addEventListener("click", () => {
  const fill = (faults) => {
    for (const name of ["send", "window", "media", "webhooks"]) fields[name].value = faults[name] ?? "";
    fields.code.value = faults.code || 131000;
    fields.wait.value = faults.wait || 30;
    fields.times.value = faults.times || "";
    fields.send.onchange();
  };
  const fields = ask("trouble", (f) => request("PUT", "faults", { send: f.send.value, window: f.window.value, media: f.media.value,
    webhooks: f.webhooks.value, code: Number(f.code.value), wait: Number(f.wait.value), times: Number(f.times.value) }));
  fields.send.onchange = () => {
    for (const label of document.querySelectorAll("#trouble [data-for]")) label.hidden = !label.dataset.for.split(" ").includes(fields.send.value);
  };
  $("#trouble .well").onclick = () => fill({});
  fill(world.faults);
});

$("#retry").addEventListener("click", () => request("POST", "retry").catch(toast));

// ---- what comes from the simulated Meta

function remember(message) {
  if (!world.messages.has(message.customer)) world.messages.set(message.customer, new Map());
  world.messages.get(message.customer).set(message.id, message);
}

function showWebhook({ problem, waiting, url }) {
  const pill = $("#webhook");
  pill.classList.toggle("bad", Boolean(problem));
  pill.title = url;
  const queue = waiting > 1 ? ` (${waiting} waiting)` : "";
  $(".words", pill).textContent = problem ? problem[0].toUpperCase() + problem.slice(1) + queue : "Webhook: no trouble";
  $("#retry").hidden = !waiting;
}

function showFaults(faults) {
  world.faults = faults;
  const words = ["send", "media", "webhooks", "window"].filter((name) => faults[name]).map((name) => {
    const option = $(`#trouble [name=${name}] option[value="${faults[name]}"]`);
    const label = option.closest("label").firstChild.textContent.trim();
    return `${label} … ${option.textContent}`;
  });
  $("#trouble-note").hidden = !words.length;
  $("#trouble-note").textContent = "Trouble is on: " + words.join("; ");
}

const on = {
  everything(data) {
    Object.assign(world, { business: data.business, numbers: data.numbers });
    world.customers = new Map(data.customers.map((c) => [c.id, c]));
    world.messages = new Map();
    data.messages.forEach(remember);
    showFaults(data.faults);
    showWebhook(data.webhook);
    if (!phones.size) {
      const kept = JSON.parse(localStorage.getItem("phones") ?? "null") ?? [...world.customers.keys()].slice(0, 3);
      for (const id of kept) if (world.customers.has(id)) phones.set(id, new Phone(world.customers.get(id)));
    }
    for (const phone of phones.values()) phone.redraw();
    arrange();
  },
  customer(customer) {
    const known = world.customers.has(customer.id);
    world.customers.set(customer.id, customer);
    if (!known && !customer.unseen) take(customer.id);
    else drawPeople();
  },
  message(message) {
    remember(message);
    const phone = phones.get(message.customer);
    if (message.business) phone?.quiet();
    phone?.shown();
    drawPeople();
  },
  typing({ customer, number }) {
    const phone = phones.get(customer);
    if (phone?.number === number) phone.typing();
  },
  faults: showFaults,
  webhook: showWebhook,
};

const stream = new EventSource("api/events");
for (const [name, handle] of Object.entries(on)) stream.addEventListener(name, (event) => handle(JSON.parse(event.data)));
stream.onerror = () => showWebhook({ problem: "the simulated Meta does not answer; trying again", waiting: 0, url: "" });
document.addEventListener("visibilitychange", () => phones.forEach((phone) => phone.shown()));
narrow.addEventListener("change", arrange);
