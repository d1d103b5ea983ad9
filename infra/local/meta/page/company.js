// The drawer: what the company's own phone does, and what Meta does to the company.
import { field, filled } from "./dialogs.js";
import { el } from "./chat.js";
import { $, request, toast, world } from "./world.js";

const customers = () => [...world.customers.values()].map(({ id, name }) => [id, name]);
const templates = () => (world.company.templates ?? []).map(({ name, language }) => [`${name} ${language}`, `${name} (${language})`]);
const choices = (...values) => values.map((value) => [value, spoken[value] ?? value.replaceAll("_", " ").toLowerCase()]);
const spoken = { RESTRICTED_BIZ_INITIATED_MESSAGING: "no templates", RESTRICTED_CUSTOMER_INITIATED_MESSAGING: "no answers",
  RESTRICTED_ADD_PHONE_NUMBER_ACTION: "no new numbers", SCHEDULE_FOR_DISABLE: "soon", DISABLE: "now", REINSTATE: "lifted" };
const whom = () => ({ name: "customer", label: "Customer", choices: customers() });
const event = (kind, extra = {}) => (values) => ["company/events", { kind, ...values, ...extra }];

// lastBy finds what staff wrote last to a customer.
function lastBy(customer) {
  const list = [...(world.messages.get(customer)?.values() ?? [])].filter((m) => m.staff === "app" && !m.deleted);
  if (!list.length) throw new Error("Nothing was written from the company’s phone to this customer");
  return list.sort((a, b) => a.seq - b.seq).at(-1).id;
}

// one is a form of one field and one button, for an event of the account.
const one = (kind, label, values, more = []) => ({ fields: () => [{ name: "value", label, choices: choices(...values) }, ...more], buttons: { Apply: event(kind) } });

const sections = {
  "The company’s own phone": [{
    fields: () => [whom(), { name: "text", label: "Text", value: "Sent from the shop" }],
    buttons: {
      "Write": (v) => ["company/echoes", v],
      "Send a photo": (v) => ["company/echoes", { ...v, sample: "photo" }],
      "Edit the last one": (v) => ["company/echoes", { ...v, edit: lastBy(v.customer) }],
      "Delete the last one": (v) => ["company/echoes", { customer: v.customer, revoke: lastBy(v.customer) }],
    },
  }, {
    fields: () => [{ name: "phone", label: "Address book: number", value: "+1 202 555 0101" }, { name: "name", label: "Name", value: "Mr Miller, No. 7" }],
    buttons: {
      "Save": (v) => ["company/contacts", { contacts: [v] }],
      "Remove": (v) => ["company/contacts", { contacts: [{ ...v, removed: true }] }],
    },
  }],
  "History of the company’s phone": [{
    fields: () => [{ name: "threads", label: "Chats", type: "number", value: "5" }, { name: "messages", label: "Messages in each", type: "number", value: "40" },
      { name: "chunk", label: "Messages in a POST", type: "number", value: "50" }, { name: "media", label: "A photo every … messages (0: none)", type: "number", value: "10" },
      { name: "shuffled", label: "In any order", type: "checkbox", value: true }],
    buttons: {
      "Hand over": (v) => ["company/history", v, (r) => `${r.messages} messages of ${r.phones.length} chats go out in ${r.posts} parts.`],
      "Do not share it": () => ["company/history", { declined: true }],
    },
  }],
  "Meta’s agent": [{
    fields: () => [whom(), { name: "text", label: "What the agent says", value: "I am the assistant. How can I help?" }],
    buttons: {
      "Agent on": () => ["company/agent", { on: true }],
      "Agent off": () => ["company/agent", { on: false }],
      "Agent writes": (v) => ["company/echoes", { ...v, by: "agent" }],
      "Pass to people": (v) => ["company/handover", { customer: v.customer, to: "escalation" }],
      "Pass to the agent": (v) => ["company/handover", { customer: v.customer, to: "ai_agent" }],
    },
  }],
  "Number": [
    one("quality", "Quality", ["RED", "YELLOW", "GREEN"]),
    one("limit", "Customers a day", ["TIER_250", "TIER_2K", "TIER_10K", "TIER_100K", "TIER_UNLIMITED"]),
    one("throughput", "Throughput", ["HIGH", "STANDARD"]),
    one("number", "Status", ["RESTRICTED", "BANNED", "DISCONNECTED", "CONNECTED"]),
    one("name", "Display name is", ["APPROVED", "REJECTED", "PENDING", "DEFERRED"], [{ name: "name", label: "Name", value: "Your new company" }]),
    one("username", "Username is", ["approved", "reserved", "deleted"], [{ name: "name", label: "Username", value: "your.company" }]),
    one("pin", "PIN", ["PIN_CHANGED", "PIN_RESET_REQUEST", "PIN_REQUEST_SUCCESS"]),
    one("app", "Used in the Business app, too", ["on", "off"]),
    one("key_check", "Security keys are reported", ["on", "off"]),
  ],
  "Account": [
    one("token", "Access token", ["revoked", "restored"]),
    one("restriction", "Restriction", ["RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_CUSTOMER_INITIATED_MESSAGING", "RESTRICTED_ADD_PHONE_NUMBER_ACTION"],
      [{ name: "seconds", label: "Seconds (0: no end)", type: "number", value: "120" }]),
    one("ban", "Ban", ["SCHEDULE_FOR_DISABLE", "DISABLE", "REINSTATE"]),
    one("violation", "Violation", ["ADULT", "SPAM", "SCAM"]),
    one("payment", "Way to pay", ["missing", "ok"]),
    one("review", "Review", ["APPROVED", "REJECTED", "PENDING", "DEFERRED"]),
    one("alert", "Alert", ["OBA_APPROVED", "OBA_REJECTED", "PROFILE_PICTURE_LOST"]),
    one("account", "Account", ["ACCOUNT_OFFBOARDED", "ACCOUNT_RECONNECTED", "PARTNER_REMOVED"]),
  ],
  "Templates": [
    ["template_status", "Status", ["PAUSED", "DISABLED", "REJECTED", "FLAGGED", "REINSTATED", "APPROVED"]],
    ["template_quality", "Quality", ["YELLOW", "RED", "GREEN"]],
    ["template_category", "Category", ["MARKETING", "UTILITY"]],
  ].map(([kind, label, values]) => ({
    fields: () => [{ name: "template", label: "Template", choices: templates() }, { name: "value", label, choices: choices(...values) }],
    buttons: { Apply: ({ template, value }) => {
      const [name, language] = template.split(" ");
      return ["company/events", { kind, template: name, language, value }];
    } },
  })),
  "Any webhook": [{
    fields: () => [{ name: "field", label: "Field", value: "account_update" }, { name: "value", label: "Value (JSON)", type: "area", value: '{\n  "event": "VERIFIED_ACCOUNT"\n}' }],
    buttons: { Post: ({ field: name, value }) => ["company/webhook", { field: name, value: JSON.parse(value) }] },
  }],
};

function drawForm({ fields, buttons }) {
  const form = el("form", { novalidate: true }, ...fields().map(field), el("div", { class: "actions" }));
  for (const [words, ask] of Object.entries(buttons)) {
    const button = el("button", { type: "button", class: "quiet" }, words);
    button.addEventListener("click", () => run(() => ask(filled(form))));
    form.lastElementChild.append(button);
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  return form;
}

async function run(ask) {
  try {
    const [path, body, words = () => "Done."] = ask();
    toast(words(await request("POST", path, body)));
  } catch (error) {
    toast(error instanceof SyntaxError ? new Error("This is not JSON.") : error);
  }
}

// showCompany says on the drawer and on its button what is not in good order.
export function showCompany(company) {
  world.company = company;
  const bad = [];
  const add = (wrong, words) => wrong && bad.push(words);
  add(company.no_token, "The access token is revoked");
  add(company.unpaid, "There is no way to pay");
  add(company.agent, "Meta’s agent is on");
  add(company.key_check, "Security keys are reported");
  add(company.ban, `Ban: ${company.ban}`);
  for (const [type, until] of Object.entries(company.restrictions ?? {})) {
    const end = until.startsWith("0001") ? "" : `, until ${new Date(until).toLocaleTimeString()}`;
    add(!end || new Date(until) > new Date(), type + end);
  }
  for (const line of Object.values(company.lines)) {
    add(line.quality !== "GREEN", `Quality ${line.quality}`);
    add(line.status !== "CONNECTED", `Number ${line.status}`);
    add(!line.app, "Not used in the Business app");
  }
  for (const { name, language, status, quality } of company.templates) {
    add(status !== "APPROVED", `Template ${name} (${language}): ${status}`);
    add(quality !== "GREEN", `Template ${name} (${language}): quality ${quality}`);
  }
  $(".standing").replaceChildren(...bad.map((words) => el("li", {}, words)));
  $("#open-company").textContent = bad.length ? `Meta (${bad.length})` : "Meta";
}

$("#open-company").addEventListener("click", () => {
  const open = $("#company details[open] summary")?.textContent ?? Object.keys(sections)[0];
  $("#company .sections").replaceChildren(...Object.entries(sections).map(([title, forms]) =>
    el("details", { name: "company", open: title === open }, el("summary", {}, title), ...forms.map(drawForm))));
  $("#company").showModal();
});
$("#company .close").addEventListener("click", () => $("#company").close());
