// Draws messages. Everything that a person typed goes in as text, never as markup.
import { world } from "./world.js";

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "boolean") node.toggleAttribute(name, value);
    else if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== ""));
  return node;
}

export function icon(name, className = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", "#i-" + name);
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

// summary is a message in a few words, for quotes.
export function summary(message) {
  if (message.deleted) return "Deleted message";
  if (message.text) return message.text;
  if (message.media) return message.media.voice ? "Voice note" : message.media.name || message.media.kind;
  if (message.cards) return message.cards.map((card) => card.name).join(", ");
  if (message.place) return message.place.name || "Location";
  return message.call ? "Voice call" : message.notice || message.type;
}

const staff = { app: "From the company’s phone", agent: "From Meta’s agent" };

// draw makes the list item of a message as the owner of the phone sees it. act has what buttons do: answer, open, menu,
// played, hang.
export function draw(message, quoted, turn, owner, act) {
  if (message.type === "system") return el("li", { class: "day notice" }, message.notice);
  const mine = !message.business && message.customer === owner;
  const bubble = el("div", { class: "bubble" }, ...content(message, quoted, mine, act));
  const item = el("li", { class: `message ${mine ? "mine" : "theirs"}${turn ? " turn" : ""}` }, bubble);
  if (message.reaction) item.append(el("span", { class: "reaction", title: mine ? "The business reacted" : "The customer reacted" }, message.reaction));
  if (message.problem) item.append(el("p", { class: "problem" }, `Not with the business yet: ${message.problem}. Meta tries again.`));
  const answers = message.deleted ? null : choices(message, act);
  if (answers) item.append(answers);
  if (!message.deleted && !message.call && (mine || message.business)) withMenu(item, bubble, message, act);
  return item;
}

function withMenu(item, bubble, message, act) {
  const open = el("button", { type: "button", class: "icon reply", "aria-label": "What to do with this message", "aria-haspopup": "menu" }, icon("down"));
  open.addEventListener("click", () => act.menu(message, open));
  item.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    act.menu(message, open);
  });
  bubble.append(open);
}

function content(message, quoted, mine, act) {
  if (message.deleted) return [el("em", { class: "gone" }, "This message was deleted"), stamp(message, mine)];
  const parts = [];
  const add = (there, make) => there && parts.push(make());
  add(message.group && !mine && !message.business, () => el("small", { class: "author" }, world.customers.get(message.customer)?.name ?? "Somebody"));
  add(message.forwarded, () => el("small", { class: "mark" }, message.forwarded === "often" ? "Forwarded many times" : "Forwarded"));
  add(message.ad, () => el("div", { class: "ad" }, el("b", {}, message.ad.headline || "Advertisement"), el("small", {}, message.ad.body || message.ad.source_url)));
  add(message.reply_to, () => el("div", { class: "quote" }, el("span", {}, quoted ? summary(quoted) : "A message that is not here")));
  add(message.media?.id, () => media(message, act));
  add(message.header, () => el("h3", {}, message.header));
  add(message.place, () => place(message.place));
  add(message.call, () => call(message, mine, act));
  for (const card of message.cards ?? []) parts.push(contactCard(card));
  add(message.notice, () => el("em", { class: "gone" }, message.notice));
  add(message.text, () => el("span", { class: "words" }, ...styled(message.text)));
  add(message.items, () => products(message));
  add(message.footer, () => el("small", {}, message.footer));
  add(staff[message.staff], () => el("small", { class: "mark" }, staff[message.staff]));
  return [...parts, stamp(message, mine)];
}

function stamp(message, mine) {
  const at = new Date(message.at);
  const meta = el("span", { class: "meta" }, message.edited && !message.deleted ? "edited" : "",
    el("time", { datetime: message.at }, at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })));
  if (!mine) return meta;
  const [name, words, colour] = {
    delivered: ["ticks", "The webhook answered 200", ""],
    read: ["ticks", "Read by the business", "blue"],
  }[message.status] ?? ["tick", "Meta has it", ""];
  const ticks = el("span", { role: "img", "aria-label": words, title: words }, icon(name, "ticks " + colour));
  meta.append(ticks);
  return meta;
}

function media(message, act) {
  const { id, kind, mime, name, size, voice } = message.media;
  const href = "api/media/" + id;
  if (kind === "image" || kind === "sticker") {
    const picture = el("img", { src: href, class: kind, alt: message.business ? "Picture from the business" : "Picture from the customer", width: 270, height: 202 });
    return el("a", { href, target: "_blank", rel: "noopener" }, picture);
  }
  if (kind === "video") return el("video", { src: href, controls: true, preload: "metadata" });
  if (kind === "audio") {
    const player = el("audio", { src: href, controls: true, preload: "metadata", "aria-label": voice ? "Voice note" : "Audio" });
    if (message.business && voice) player.addEventListener("play", () => act.played(message), { once: true });
    return player;
  }
  const facts = [(mime.split(";")[0].split("/")[1] || "file").toUpperCase().slice(0, 12), bytes(size)].join(" · ");
  return el("a", { class: "file", href, download: name || "document" }, icon("file"),
    el("span", {}, el("b", {}, name || "Document"), el("small", {}, facts)));
}

function bytes(n) {
  if (n < 1000) return `${n} B`;
  return n < 1e6 ? `${Math.round(n / 1e3)} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

function place({ latitude, longitude, name, address }) {
  const href = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=15/${latitude}/${longitude}`;
  return el("a", { class: "place", href, target: "_blank", rel: "noopener noreferrer" }, icon("pin"),
    el("span", {}, el("b", {}, name || "Location"), el("small", {}, address || `${latitude}, ${longitude}`)));
}

function contactCard({ name, phone, email, company, title }) {
  const lines = [[title, company].filter(Boolean).join(", "), phone, email].filter(Boolean);
  return el("div", { class: "file" }, icon("person"), el("span", {}, el("b", {}, name), ...lines.map((line) => el("small", {}, line))));
}

// call shows a call, and while it rings how it may end.
function call(message, mine, act) {
  const { state, seconds, out } = message.call;
  const words = { ringing: "Ringing…", completed: `${seconds} s`, missed: "Missed", rejected: "Declined" }[state];
  const box = el("div", { class: "file" }, icon("call"), el("span", {}, el("b", {}, out ? "Call from the business" : "Voice call"), el("small", {}, words)));
  if (state !== "ringing") return box;
  const ends = [["completed", "Hang up after talking"], ["missed", mine ? "Nobody answers" : "Let it ring"], ["rejected", "Decline"]];
  return el("div", {}, box, el("div", { class: "ends" }, ...ends.map(([end, label]) => {
    const button = el("button", { type: "button", class: "quiet" }, label);
    button.addEventListener("click", () => act.hang(message, end));
    return button;
  })));
}

// products are what a catalogue message shows, what an order has, or the cards of a carousel.
function products(message) {
  let section = "";
  const rows = message.items.flatMap((item) => {
    const heading = item.section && item.section !== section ? [el("h4", {}, item.section)] : [];
    section = item.section;
    const picture = item.media?.id ? el("img", { src: "api/media/" + item.media.id, alt: "" }) : "";
    const link = item.url ? el("a", { href: safe(item.url), target: "_blank", rel: "noopener noreferrer" }, item.url_text) : "";
    return [...heading, el("li", {}, picture, el("span", {}, item.title || item.product || "Card", link),
      item.price ? el("small", {}, money(item.price * (item.quantity || 1), item.currency)) : "")];
  });
  return el("ul", { class: "products" }, ...rows);
}

function money(amount, currency) {
  return new Intl.NumberFormat([], { style: "currency", currency: currency || "USD" }).format(amount);
}

// choices are the buttons below a message of the business.
function choices(message, act) {
  const box = el("div", { class: "answers" });
  if (message.url) box.append(el("a", { href: safe(message.url), target: "_blank", rel: "noopener noreferrer" }, message.url_text));
  const done = Boolean(message.answered);
  if (message.menu) {
    const open = el("button", { type: "button", disabled: done }, done ? "Answered" : message.menu);
    open.addEventListener("click", () => act.open(message));
    box.append(open);
  } else {
    for (const option of message.options ?? []) {
      const chosen = message.answered === option.id;
      const button = el("button", { type: "button", disabled: done && option.kind !== "order", class: chosen ? "chosen" : undefined }, (chosen ? "✓ " : "") + option.title);
      button.addEventListener("click", () => act.answer(message, option));
      box.append(button);
    }
  }
  return box.childElementCount ? box : null;
}

function safe(url) {
  return /^https?:\/\//i.test(url) ? url : "about:blank";
}

const marks = { "*": "strong", _: "em", "~": "s", "`": "code" };

// styled turns *bold*, _italic_, ~struck~, `code` and addresses into elements.
function styled(text) {
  const parts = text.split(/(https?:\/\/[^\s<>"]+|(?<![\p{L}\p{N}])([*_~`])(?=\S)(?:[^\n]*?\S)\2(?![\p{L}\p{N}]))/u);
  const nodes = [];
  for (let i = 0; i < parts.length; i += 3) {
    if (parts[i]) nodes.push(parts[i]);
    const [special, mark] = [parts[i + 1], parts[i + 2]];
    if (!special) continue;
    nodes.push(mark ? el(marks[mark], {}, special.slice(1, -1)) : el("a", { href: special, target: "_blank", rel: "noopener noreferrer" }, special));
  }
  return nodes;
}
