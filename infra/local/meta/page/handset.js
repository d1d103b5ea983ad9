// One phone: the chat with the business or a group, and the box to write in.
import { Composer } from "./composer.js";
import { askOption } from "./dialogs.js";
import { answerWith, messageMenu, personMenu } from "./menus.js";
import { draw, el, summary } from "./chat.js";
import { $, avatar, details, phoneNumber, request, toast, world } from "./world.js";

// Handset is one customer's phone on the desk.
export class Handset {
  constructor(customer, putAway) {
    this.node = $("#phone").content.cloneNode(true).firstElementChild;
    this.log = $(".log", this.node);
    this.items = new Map();
    this.number = world.numbers[0].id;
    this.group = "";
    this.about(customer);
    $(".bar .avatar", this.node).textContent = world.business.slice(0, 1);
    $(".hide", this.node).addEventListener("click", putAway);
    $(".number", this.node).addEventListener("change", ({ target }) => this.turnTo(target.value));
    $(".call", this.node).addEventListener("click", () => this.call("calls", { number: this.number }));
    $(".more", this.node).addEventListener("click", ({ currentTarget }) => personMenu(this, currentTarget));
    this.composer = new Composer(this);
    this.listChats();
    this.redraw();
  }

  // about shows who holds the phone.
  about(customer) {
    this.customer = customer;
    this.node.setAttribute("aria-label", `Phone of ${customer.name}`);
    avatar($(".who .avatar", this.node), customer);
    $("h2", this.node).textContent = customer.name;
    $(".who p", this.node).textContent = details(customer);
  }

  // listChats offers the business numbers and the groups that the customer is in.
  listChats() {
    const groups = [...world.groups.values()].filter((g) => g.members.includes(this.customer.id));
    if (!groups.some(({ id }) => id === this.group)) this.group = "";
    const select = $(".number", this.node);
    select.hidden = world.numbers.length + groups.length < 2;
    $(".business", this.node).hidden = !select.hidden;
    const name = ({ display }) => (world.numbers.length > 1 ? phoneNumber(display) : world.business);
    select.replaceChildren(...world.numbers.map((number) => el("option", { value: number.id }, name(number))),
      ...groups.map(({ id, name }) => el("option", { value: id }, "Group: " + name)));
    select.value = this.group || this.number;
    this.quiet();
  }

  turnTo(chat) {
    const group = world.groups.get(chat);
    this.group = group?.id ?? "";
    this.number = group?.number ?? chat;
    this.composer.quote(null);
    this.redraw();
    this.shown();
  }

  quiet() {
    const group = world.groups.get(this.group);
    $(".business", this.node).textContent = world.business;
    $(".presence", this.node).textContent = group
      ? ["with " + world.business, ...group.members.map((id) => world.customers.get(id)?.name)].join(", ")
      : phoneNumber(world.numbers.find(({ id }) => id === this.number).display);
  }

  typing() {
    $(".presence", this.node).textContent = "typing…";
    clearTimeout(this.typingTimer);
    this.typingTimer = setTimeout(() => this.quiet(), 25000);
  }

  get chat() {
    return world.messages.get(this.group || this.customer.id) ?? new Map();
  }

  list() {
    return [...this.chat.values()].filter((m) => m.number === this.number).sort((a, b) => a.seq - b.seq);
  }

  redraw() {
    this.items.clear();
    this.log.replaceChildren();
    this.quiet();
    this.update();
    this.toEnd();
  }

  // update draws what is new or changed and leaves the rest alone: a playing voice note goes on.
  update() {
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
    let before = null;
    const order = [];
    for (const message of this.list()) {
      const day = new Date(message.at).toDateString();
      if (!before || new Date(before.at).toDateString() !== day) order.push(this.item("day " + day, day, () => dayLine(day)));
      const turn = !before || before.business !== message.business || before.customer !== message.customer;
      const quoted = this.chat.get(message.reply_to);
      const version = JSON.stringify([message, turn, quoted && summary(quoted)]);
      order.push(this.item(message.id, version, () => draw(message, quoted, turn, this.customer.id, this.actions)));
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
    const fresh = this.list().filter((m) => m.business && !m.call && (this.group ? !m.ReadBy?.includes(this.customer.id) : m.status === "delivered"));
    const last = fresh.at(-1)?.id;
    if (!last || last === this.told) return;
    this.told = last;
    this.call("seen", { number: this.number, group: this.group });
  }

  // post asks for something of this customer; what goes wrong is thrown.
  post(body, what = "messages") {
    return request("POST", `customers/${this.customer.id}/${what}`, { number: this.number, group: this.group, ...body });
  }

  // call is post for buttons: what goes wrong is shown.
  async call(what, body) {
    try {
      await this.post(body, what);
      return true;
    } catch (error) {
      toast(error);
      return false;
    }
  }

  send(body) {
    this.toEnd();
    return this.call("messages", body);
  }

  get actions() {
    return {
      answer: (message, option) => answerWith(this, message, option),
      open: (message) => askOption(this, message),
      menu: (message, button) => messageMenu(this, message, button),
      played: (message) => request("POST", "played", { message: message.id }).catch(toast),
      hang: (message, end) => request("POST", `calls/${message.id}/end`, { end, seconds: Math.max(1, Math.round((Date.now() - new Date(message.at)) / 1000)) }).catch(toast),
    };
  }
}

function dayLine(day) {
  const today = new Date().toDateString() === day;
  return el("li", { class: "day" }, today ? "Today" : new Date(day).toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" }));
}
