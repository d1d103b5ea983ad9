// Draws messages. Everything that a person typed goes in as text, never as markup.

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
  if (message.text) return message.text;
  if (message.media) return message.media.voice ? "Voice note" : message.media.name || message.media.kind;
  return message.place ? message.place.name || "Location" : message.type;
}

// draw makes the list item of a message. act has what buttons do: answer, open, reply, played.
export function draw(message, quoted, turn, act) {
  const mine = !message.business;
  const bubble = el("div", { class: "bubble" });
  if (quoted) bubble.append(el("div", { class: "quote" }, el("span", {}, summary(quoted))));
  if (message.media) bubble.append(media(message, act));
  if (message.header) bubble.append(el("h3", {}, message.header));
  if (message.place) bubble.append(place(message.place));
  if (message.text) bubble.append(el("span", { class: "words" }, ...styled(message.text)));
  if (message.footer) bubble.append(el("small", {}, message.footer));
  bubble.append(stamp(message, mine));

  const item = el("li", { class: `message ${mine ? "mine" : "theirs"}${turn ? " turn" : ""}` }, bubble);
  if (message.reaction) item.append(el("span", { class: "reaction", title: "The business reacted" }, message.reaction));
  if (message.problem) item.append(el("p", { class: "problem" }, `Not with the business yet: ${message.problem}. Meta tries again.`));
  const answers = choices(message, act);
  if (answers) item.append(answers);
  if (!mine) {
    const reply = el("button", { type: "button", class: "icon reply", "aria-label": "Reply to this message" }, icon("reply"));
    reply.addEventListener("click", () => act.reply(message));
    bubble.append(reply);
  }
  return item;
}

function stamp(message, mine) {
  const at = new Date(message.at);
  const meta = el("span", { class: "meta" },
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
    const picture = el("img", { src: href, alt: message.business ? "Picture from the business" : "Picture from the customer", width: 270, height: 202 });
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
      const button = el("button", { type: "button", disabled: done, class: chosen ? "chosen" : undefined }, (chosen ? "✓ " : "") + option.title);
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
