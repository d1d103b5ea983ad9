// The page: what the simulated Meta knows comes by one event stream; what a person does goes back as small requests.
import { el } from "./chat.js";
import { Handset } from "./handset.js";
import "./dialogs.js";
import { showCompany } from "./company.js";
import { $, avatar, chatOf, details, world } from "./world.js";

const narrow = matchMedia("(max-width: 759px)");
const phones = new Map(); // customer id → Handset, of the phones on the desk
let current = null; // the one phone that a narrow page shows

// ---- customers

function unread(id) {
  let count = 0;
  for (const m of world.messages.get(id)?.values() ?? []) if (m.business && !m.call && m.status === "delivered") count++;
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

function handset(customer) {
  return new Handset(customer, () => putAway(customer.id));
}

function take(id) {
  current = id;
  if (!phones.has(id)) phones.set(id, handset(world.customers.get(id)));
  arrange();
}

function putAway(id) {
  phones.delete(id);
  arrange();
}

// place shows these phones, the newest message of each in view.
function place(desk, nodes, order) {
  desk.replaceChildren(...nodes);
  for (const id of order) phones.get(id).toEnd();
}

// arrange puts the phones on the desk in the order of the customers and remembers which ones are there.
function arrange() {
  if (!phones.has(current)) current = phones.keys().next().value ?? null;
  const order = [...world.customers.keys()].filter((id) => (narrow.matches ? id === current : phones.has(id)));
  const desk = $("#phones");
  const wanted = order.map((id) => phones.get(id).node);
  if (wanted.length !== desk.childElementCount || wanted.some((node, i) => node !== desk.children[i])) place(desk, wanted, order);
  if (!wanted.length) desk.replaceChildren(el("p", { class: "empty" }, "Pick a customer above, or add one, to hold their phone."));
  localStorage.setItem("phones", JSON.stringify([...phones.keys()]));
  drawPeople();
  for (const id of order) phones.get(id).shown();
  if (narrow.matches) $("#people [aria-pressed=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// ---- what comes from the simulated Meta

function remember(message) {
  const chat = chatOf(message);
  if (!world.messages.has(chat)) world.messages.set(chat, new Map());
  world.messages.get(chat).set(message.id, message);
}

function showWebhook({ problem, waiting, url }) {
  const pill = $("#webhook");
  pill.classList.toggle("bad", Boolean(problem));
  pill.title = url;
  const queue = waiting > 1 ? ` (${waiting} waiting)` : "";
  $(".words", pill).textContent = problem ? problem[0].toUpperCase() + problem.slice(1) + queue : "Webhook OK";
  $("#retry").hidden = !waiting;
}

function showFaults(faults) {
  world.faults = faults;
  const words = ["send", "media", "webhooks", "window", "rates", "identity"].filter((name) => faults[name]).map((name) => {
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
    world.groups = new Map(data.groups.map((g) => [g.id, g]));
    world.messages = new Map();
    data.messages.forEach(remember);
    showFaults(data.faults);
    showWebhook(data.webhook);
    showCompany(data.company);
    if (!phones.size) {
      const kept = JSON.parse(localStorage.getItem("phones") ?? "null") ?? [...world.customers.keys()].slice(0, 3);
      for (const id of kept) if (world.customers.has(id)) phones.set(id, handset(world.customers.get(id)));
    }
    for (const phone of phones.values()) phone.redraw();
    arrange();
  },
  customer(customer) {
    const known = world.customers.has(customer.id);
    world.customers.set(customer.id, customer);
    phones.get(customer.id)?.about(customer);
    if (!known && !customer.unseen) take(customer.id);
    else drawPeople();
  },
  message(message) {
    remember(message);
    const members = message.group ? world.groups.get(message.group).members : [message.customer];
    for (const phone of members.map((id) => phones.get(id)).filter(Boolean)) {
      if (message.business) phone.quiet();
      phone.shown();
    }
    drawPeople();
  },
  group(group) {
    world.groups.set(group.id, group);
    for (const phone of phones.values()) phone.listChats();
  },
  company: showCompany,
  typing({ customer, number }) {
    const phone = phones.get(customer);
    if (phone?.number === number && !phone.group) phone.typing();
  },
  faults: showFaults,
  webhook: showWebhook,
};

const stream = new EventSource("api/events");
for (const [name, handle] of Object.entries(on)) stream.addEventListener(name, (event) => handle(JSON.parse(event.data)));
stream.onerror = () => showWebhook({ problem: "the simulated Meta does not answer; trying again", waiting: 0, url: "" });
document.addEventListener("visibilitychange", () => phones.forEach((phone) => phone.shown()));
narrow.addEventListener("change", arrange);
