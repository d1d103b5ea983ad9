// What a person does with a message, with a button of the business, and with their own identity.
import { askCard } from "./composer.js";
import { askFields, askPlace } from "./dialogs.js";
import { el } from "./chat.js";
import { $, request, toast, world } from "./world.js";

// pop shows a menu beside a button. Entries are [words, what it does]; null is a line.
function pop(id, beside, ...parts) {
  const menu = $("#" + id);
  menu.replaceChildren(...parts);
  menu.showPopover();
  const at = beside.getBoundingClientRect();
  const left = Math.min(at.left, innerWidth - menu.offsetWidth - 8);
  const below = at.bottom + menu.offsetHeight < innerHeight;
  menu.style.left = Math.max(8, left) + "px";
  menu.style.top = Math.max(8, below ? at.bottom + 4 : at.top - menu.offsetHeight - 4) + "px";
  $("button", menu)?.focus();
}

function entries(id, list) {
  return list.map((entry) => {
    if (!entry) return el("hr");
    const button = el("button", { type: "button", role: "menuitem" }, entry[0]);
    button.addEventListener("click", () => {
      $("#" + id).hidePopover();
      entry[1]();
    });
    return button;
  });
}

// messageMenu offers what a customer can do with a message.
export function messageMenu(phone, message, beside) {
  const parts = [];
  if (message.business) {
    const emojis = ["👍", "❤️", "😂", "😮", "🙏"].map((emoji) => [emoji, () => phone.call("reactions", { message: message.id, emoji })]);
    if (message.reaction) emojis.push(["✕", () => phone.call("reactions", { message: message.id, emoji: "" })]);
    parts.push(el("div", { class: "emojis" }, ...entries("message-menu", emojis)));
  }
  const list = [["Reply", () => phone.composer.quote(message)]];
  if (message.items?.length && message.items[0].product && message.business) {
    list.push(["Ask about " + message.items[0].title, () => phone.composer.strip("Ask about " + message.items[0].title, { product: message.items[0] })]);
  }
  if (message.text || message.media || message.place || message.cards) {
    list.push(["Forward to the business", () => phone.send({ forward: message.id, forwarded: "once" })]);
    list.push(["Forward it as a chain letter", () => phone.send({ forward: message.id, forwarded: "often" })]);
  }
  if (!message.business) {
    list.push(null);
    if (message.type === "text" || message.media) list.push(["Edit", () => phone.composer.edit(message)]);
    list.push(["Delete for everyone", () => phone.call("revokes", { message: message.id })]);
  }
  pop("message-menu", beside, ...parts, ...entries("message-menu", list));
}

// personMenu offers what changes who a customer is to the business.
export function personMenu(phone, beside) {
  const { customer } = phone;
  const become = (body) => phone.call("identity", body);
  const askOne = (title, label, name, value, hint) => askFields({ title, hint, button: "Change", fields: [{ name, label, value }] },
    (values) => phone.post({ change: name === "phone" ? "number" : name, ...values }, "identity"));
  const list = [
    ["Change the phone number…", () => askNumber(phone)],
    [customer.hidden ? "Show the phone number" : "Hide the phone number", () => become({ change: customer.hidden ? "show" : "hide" })],
    ["Change the username…", () => askOne("Change the username", "Username", "username", customer.username)],
    ["Change the name…", () => askOne("Change the name", "Name", "name", customer.name)],
    ["Get a new user id", () => become({ change: "user-id" })],
    ["Install WhatsApp afresh (new security key)", () => become({ change: "reinstall" })],
    ["Get a parent user id", () => become({ change: "parent" })],
    ["Somebody else gets this phone number", () => become({ change: "recycled" })],
    null,
    [customer.stopped ? "Allow marketing messages again" : "Stop marketing messages", () => phone.call("preference", { value: customer.stopped ? "resume" : "stop" })],
    null,
    ["New group…", () => askGroup(phone)],
  ];
  if (phone.group) list.push(["Leave this group", () => request("POST", `groups/${phone.group}/members`, { customer: customer.id, remove: true }).catch(toast)]);
  const usable = list.filter((entry) => !entry || customer.phone || !/phone number/.test(entry[0]));
  pop("person-menu", beside, el("p", {}, customer.name, el("small", {}, customer.bsuid)), ...entries("person-menu", usable));
}

function askNumber(phone) {
  askFields({ title: "Change the phone number", button: "Change", hint: "The person keeps the chat and gets a new user id. The business is told.", fields: [
    { name: "phone", label: "New phone number", value: "+1 202 555 0199" },
    { name: "old", label: "Reported as before August 2026, without user ids", type: "checkbox" },
  ] }, (values) => phone.post({ change: "number", ...values }, "identity"));
}

function askGroup(phone) {
  const others = [...world.customers.values()].filter(({ id, unseen }) => id !== phone.customer.id && !unseen);
  askFields({ title: "New group with the business", button: "Make it", fields: [{ name: "name", label: "Name", value: "Neighbours" },
    ...others.map(({ id, name }) => ({ name: id, label: name, type: "checkbox", value: true }))] },
  async ({ name, ...chosen }) => {
    const members = [phone.customer.id, ...Object.keys(chosen).filter((id) => chosen[id])];
    const { id } = await request("POST", "groups", { name, number: phone.number, members });
    phone.turnTo(id);
    phone.listChats();
  });
}

// answerWith does what pressing a button of the business does.
export function answerWith(phone, message, option) {
  const answers = {
    location: () => askPlace(phone, message.id),
    contact: () => askCard(phone, message.id),
    permission: () => askPermission(phone, message),
    flow: () => askForm(phone, message, "Fill in the form", '{\n  "name": "Customer",\n  "size": "large",\n  "notes": "Ring twice"\n}'),
    address: () => askForm(phone, message, "Give an address", '{\n  "name": "Customer",\n  "address": "1 Main Square",\n  "city": "Pune",\n  "in_pin_code": "411001"\n}'),
    order: () => askOrder(phone, message),
    call: () => phone.call("calls", { number: phone.number }),
    copy: () => navigator.clipboard.writeText(option.title.split(": ").at(-1)).then(() => toast("The code is copied."), toast),
  };
  (answers[option.kind] ?? (() => phone.send({ option: option.id, reply_to: message.id })))();
}

function askPermission(phone, message) {
  askFields({ title: "May the business call you?", button: "Answer", fields: [
    { name: "permission", label: "Answer", choices: [["accept", "Yes, for a week"], ["always", "Yes, always"], ["reject", "No"]] }] },
  (values) => phone.post({ ...values, reply_to: message.id }));
}

function askForm(phone, message, title, example) {
  askFields({ title, hint: "What comes back, as JSON.", button: "Send", fields: [{ name: "fields", label: "Fields", type: "area", value: example }] },
    ({ fields }) => {
      let parsed;
      try {
        parsed = JSON.parse(fields);
      } catch {
        throw new Error("This is not JSON.");
      }
      return phone.post({ fields: parsed, reply_to: message.id });
    });
}

function askOrder(phone, message) {
  askFields({ title: "Order", button: "Send", fields: [
    ...message.items.map(({ product, title }, i) => ({ name: product, label: title, type: "number", value: i ? "0" : "1" })),
    { name: " text", label: "Note", value: "" }] },
  (values) => {
    const items = message.items.filter(({ product }) => values[product] > 0).map(({ product, price, currency }) => ({ product, price, currency, quantity: values[product] }));
    return phone.post({ order: { catalog: message.items[0].catalog, items, text: values[" text"] }, reply_to: message.id });
  });
}
