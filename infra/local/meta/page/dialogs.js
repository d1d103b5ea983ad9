// The dialogs: fields to fill in, a location, a choice from a list, a new customer, trouble.
import { el } from "./chat.js";
import { $, request, toast, world } from "./world.js";

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

// field draws one field: {name, label, value, type, choices, hint}. A choice is [value, words].
export function field({ name, label, value = "", type = "text", choices, hint }) {
  if (type === "checkbox") return el("label", { class: "check" }, el("input", { type, name, checked: Boolean(value) }), label);
  let input = el("input", { name, type, value, autocomplete: "off", placeholder: hint, min: type === "number" ? "0" : undefined });
  if (type === "area") input = el("textarea", { name, rows: "4", spellcheck: "false" }, value);
  if (choices) input = el("select", { name }, ...choices.map(([of, words]) => el("option", { value: of, selected: of === value }, words)));
  return el("label", {}, label, input);
}

// filled reads the fields of a form into an object.
export function filled(form) {
  const values = {};
  for (const input of form.elements) {
    if (!input.name) continue;
    if (input.type === "checkbox") values[input.name] = input.checked;
    else values[input.name] = input.type === "number" ? Number(input.value) : input.value;
  }
  return values;
}

// askFields opens a dialog with fields; done gets their values.
export function askFields({ title, hint = "", fields, button }, done) {
  $("#fields-title").textContent = title;
  $("#fields .hint").textContent = hint;
  $("#fields .hint").hidden = !hint;
  $("#fields .main").textContent = button;
  $("#fields .rows").replaceChildren(...fields.map(field));
  ask("fields", () => done(filled($("#fields form"))));
}

export function askPlace(phone, replyTo) {
  ask("place", (fields) => {
    const [latitude, longitude] = [Number(fields.latitude.value), Number(fields.longitude.value)];
    if (Number.isNaN(latitude + longitude)) throw new Error("Latitude and longitude are numbers.");
    const place = { latitude, longitude, name: fields.name.value, address: fields.address.value };
    return phone.post({ place, reply_to: replyTo });
  });
}

export function askOption(phone, message) {
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
  ask("choose", (fields) => phone.post({ option: fields.option.value, reply_to: message.id }));
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
    for (const name of ["send", "window", "media", "webhooks", "rates", "identity"]) fields[name].value = faults[name] ?? "";
    fields.code.value = faults.code || 131000;
    fields.wait.value = faults.wait || 30;
    fields.times.value = faults.times || "";
    fields.per_second.value = faults.per_second || 80;
    fields.send.onchange();
    fields.rates.onchange();
  };
  const fields = ask("trouble", (f) => request("PUT", "faults", { send: f.send.value, window: f.window.value, media: f.media.value,
    webhooks: f.webhooks.value, rates: f.rates.value, per_second: Number(f.per_second.value), identity: f.identity.value, code: Number(f.code.value), wait: Number(f.wait.value), times: Number(f.times.value) }));
  fields.send.onchange = () => {
    for (const label of document.querySelectorAll("#trouble [data-for]")) label.hidden = !label.dataset.for.split(" ").includes(fields.send.value);
  };
  fields.rates.onchange = () => ($("#trouble [data-rate]").hidden = fields.rates.value !== "throughput");
  $("#trouble .well").onclick = () => {
    fill({});
    $("#trouble form").requestSubmit();
  };
  fill(world.faults);
});

$("#retry").addEventListener("click", () => request("POST", "retry").catch(toast));
