// The studio page: composing a request, following a trajectory, looking at earlier ones.

import { call, follow, key, picture, Problem, read, retryKey } from "./api.js";
import { drawSteps, element, imageOf } from "./steps.js";

const $ = (id) => document.getElementById(id);
const MAX_IMAGES = 16;
const EXAMPLES = [
  "Tell the story of a boat from morning to night in four pictures.",
  "How do I draw a village step by step?",
  "There is a white block, a blue block, and a red block to start with. Build a tower from the bottom up, one move at a time: white, blue, and red.",
];
const STATUS = {
  queued: ["In line", ""], planning: ["Planning", ""], awaiting_approval: ["Awaiting your approval", ""],
  running: ["Drawing", ""], succeeded: ["Done", "good"], partially_succeeded: ["Partly done", "bad"],
  failed: ["Failed", "bad"], cancelled: ["Cancelled", "bad"], expired: ["Out of time", "bad"],
};
const state = { images: [], current: null, listening: null, cursor: null };

// ---- API key -------------------------------------------------------------------------------

function askForKey(message = "") {
  showError($("key-error"), message);
  $("key-input").value = "";
  if (!$("key-dialog").open) $("key-dialog").showModal();
}

function report(error, place) {
  if (error instanceof Problem && error.status === 401) askForKey(key.get() ? "This key is not accepted." : "");
  else if (error.name !== "AbortError") showError(place, error instanceof Problem ? error.message : "The service cannot be reached.");
}

function showError(place, message) {
  place.textContent = message;
  place.hidden = !message;
}

$("key-form").addEventListener("submit", () => { key.set($("key-input").value.trim()); start(); });
$("key-cancel").addEventListener("click", () => $("key-dialog").close());
$("key-button").addEventListener("click", () => askForKey());

// ---- composing -----------------------------------------------------------------------------

function addFiles(files) {
  const room = MAX_IMAGES - state.images.length;
  const chosen = [...files].filter((file) => file.type.startsWith("image/"));
  if (chosen.length > room) showError($("form-error"), `At most ${MAX_IMAGES} images.`);
  for (const file of chosen.slice(0, room)) state.images.push({ file, url: URL.createObjectURL(file) });
  drawThumbs();
}

function drawThumbs() {
  $("thumbs").replaceChildren(...state.images.map((image, index) => element("li", {},
    element("img", { src: image.url, alt: `Image ${index + 1}` }),
    element("button", { type: "button", "aria-label": `Remove image ${index + 1}`, onclick: () => { state.images.splice(index, 1); drawThumbs(); } }, "×"))));
}

async function uploaded(image) {
  if (!image.id) image.id = (await read("/v1/uploads", { method: "POST", body: image.file, headers: { "Content-Type": image.file.type } })).id;
  return image.id;
}

function bodyOf(form, images) {
  const given = Object.fromEntries(new FormData(form));
  const body = { prompt: $("prompt").value, images, generator: given.generator, profile: given.profile };
  for (const name of ["steps", "max_attempts"]) if (given[name]) body[name] = Number(given[name]);
  if (body.steps > 20) body.max_steps = body.steps;
  if (given.approval) body.approval = "plan";
  // A seed may be larger than JavaScript's integers: it goes into the JSON as it was typed.
  return JSON.stringify(body).replace(/}$/, given.seed ? `,"seed":${BigInt(given.seed.replace(/\D/g, "") || "0")}}` : "}");
}

$("request-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!$("prompt").value.trim()) { showError($("form-error"), "Write what is wanted first."); $("prompt").focus(); return; }
  $("submit").disabled = true;
  showError($("form-error"), "");
  try {
    const images = await Promise.all(state.images.map(uploaded));
    const body = bodyOf(event.target, images);
    const headers = { "Content-Type": "application/json", "Idempotency-Key": retryKey() };
    const made = await read("/v1/trajectories", { method: "POST", body, headers });
    location.hash = `#/${made.id}`;
    listRecent();
  } catch (error) {
    report(error, $("form-error"));
  } finally {
    $("submit").disabled = false;
  }
});
$("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) $("request-form").requestSubmit();
});
$("file-input").addEventListener("change", (event) => { addFiles(event.target.files); event.target.value = ""; });
for (const kind of ["dragenter", "dragover"]) $("drop").addEventListener(kind, (event) => { event.preventDefault(); $("drop").classList.add("over"); });
for (const kind of ["dragleave", "drop"]) $("drop").addEventListener(kind, (event) => { event.preventDefault(); $("drop").classList.remove("over"); });
$("drop").addEventListener("drop", (event) => addFiles(event.dataTransfer.files));
$("prompt").addEventListener("paste", (event) => { if (event.clipboardData.files.length) { event.preventDefault(); addFiles(event.clipboardData.files); } });
$("examples").replaceChildren(...EXAMPLES.map((text) => element("button", { type: "button", class: "quiet", onclick: () => { $("prompt").value = text; $("prompt").focus(); } }, text)));

async function fillChoices() {
  const found = await read("/v1/generators");
  const option = (name, label, chosen) => element("option", { value: name, selected: chosen }, label);
  $("generator").replaceChildren(...found.data.map((g) => option(g.name, g.available ? g.name : `${g.name} (away)`, g.default)));
  $("profile").replaceChildren(...found.profiles.map((p) => option(p.name, p.name, p.name === "default")));
}

// ---- one trajectory ------------------------------------------------------------------------

async function show(id) {
  stopListening();
  state.current = null;
  $("steps").replaceChildren();
  $("activity").textContent = "";
  try {
    draw(await read(`/v1/trajectories/${id}`));
  } catch (error) {
    compose();
    report(error, $("form-error"));
    return;
  }
  $("composer").hidden = true;
  $("trajectory").hidden = false;
  markCurrent(id);
  if (!state.current.final) listen(id);
}

function listen(id) {
  const listening = new AbortController();
  state.listening = listening;
  let waiting = false;
  const refresh = async () => {
    waiting = false;
    try {
      const newest = await read(`/v1/trajectories/${id}`, { signal: listening.signal });
      if (!listening.signal.aborted) draw(newest);
      if (newest.final) { stopListening(); listRecent(); }
    } catch { /* the stream itself goes on trying */ }
  };
  follow(id, state.current.sequence, (type, event) => {
    $("activity").textContent = wordsFor(type, event);
    if (!waiting) { waiting = true; setTimeout(refresh, 120); }
  }, listening.signal);
}

function stopListening() {
  if (state.listening) state.listening.abort();
  state.listening = null;
}

function wordsFor(type, event) {
  const step = event.step ? `Step ${event.step}` : "";
  switch (type) {
    case "plan.step": return `${step} was planned.`;
    case "plan.completed": return "The plan is complete.";
    case "step.started": return `${step} is being drawn.`;
    case "attempt.drawn": return `${step}: attempt ${event.attempt} is drawn, the critic looks at it.`;
    case "attempt.judged": return event.success ? `${step} was accepted.` : `${step} was refused: ${event.text || "no reason given"}`;
    case "attempt.failed": return `${step}: ${event.text || "this attempt failed"}`;
    case "step.finished": return `${step} is finished.`;
    default: return (STATUS[type.replace("trajectory.", "")] || [""])[0];
  }
}

function draw(trajectory) {
  state.current = trajectory;
  const [words, tone] = STATUS[trajectory.status];
  $("status").textContent = words;
  $("status").className = `pill ${tone} ${trajectory.final || trajectory.status === "awaiting_approval" ? "" : "live"}`;
  if (trajectory.final) $("activity").textContent = "";
  $("trajectory-title").textContent = trajectory.request.prompt.replaceAll("<image>", "").trim();
  document.title = `${words} · Interleave Studio`;
  drawInputs(trajectory.request.images);
  const usage = trajectory.usage;
  $("facts").textContent = [trajectory.request.generator, `profile ${trajectory.request.profile}`,
    `${usage.generator_calls} picture${usage.generator_calls === 1 ? "" : "s"} drawn`, `${usage.critic_calls} judged`].join(" · ");
  const awaiting = trajectory.status === "awaiting_approval";
  $("cancel").hidden = trajectory.final;
  $("approve").hidden = !awaiting;
  $("downloads").hidden = !trajectory.output.length;
  $("again").hidden = $("delete").hidden = !trajectory.final;
  showError($("problem"), trajectory.problem ? `${trajectory.problem.title}: ${trajectory.problem.detail}` : "");
  drawSteps($("steps"), trajectory, { retry });
}

function drawInputs(images) {
  if ($("inputs").childElementCount === images.length && $("inputs").dataset.ids === images.map((i) => i.id).join()) return;
  $("inputs").dataset.ids = images.map((i) => i.id).join();
  $("inputs").replaceChildren(...images.map((image, index) => element("li", {}, imageOf(image, `Given image ${index + 1}`))));
}

async function act(work) {
  showError($("problem"), "");
  try { await work(); } catch (error) { report(error, $("problem")); }
}

const retry = (step) => act(async () => {
  await read(`/v1/trajectories/${state.current.id}/steps/${step.step_number}:retry`, { method: "POST", json: {} });
  $("status").className = "pill live";
  $("status").textContent = "Drawing";
  if (!state.listening) listen(state.current.id);
});

$("cancel").addEventListener("click", () => act(() => read(`/v1/trajectories/${state.current.id}:cancel`, { method: "POST" })));
$("approve").addEventListener("click", () => act(async () => {
  const path = `/v1/trajectories/${state.current.id}`;
  const plan = await read(`${path}/plan`);
  const edits = new Map([...document.querySelectorAll("[data-edit]")].map((field) => [field.dataset.edit, field.value]));
  const steps = plan.steps.map((step) => ({ ...step, prompt: edits.get(String(step.step_number)) ?? step.prompt }));
  if (JSON.stringify(steps) !== JSON.stringify(plan.steps)) await read(`${path}/plan`, { method: "PUT", json: { steps, revision: plan.revision } });
  await read(`${path}:approve`, { method: "POST" });
}));
$("delete").addEventListener("click", () => act(async () => {
  if (!confirm("Delete this trajectory and its pictures?")) return;
  await call(`/v1/trajectories/${state.current.id}`, { method: "DELETE" });
  location.hash = "";
  listRecent();
}));
$("again").addEventListener("click", () => {
  $("prompt").value = state.current.request.prompt;
  state.images = state.current.request.images.map((image) => ({ id: image.id, url: "" }));
  Promise.all(state.current.request.images.map(picture)).then((urls) => { urls.forEach((url, n) => { if (state.images[n]) state.images[n].url = url; }); drawThumbs(); });
  location.hash = "";
});
$("downloads").addEventListener("click", (event) => {
  const format = event.target.dataset.format;
  if (!format) return;
  act(async () => {
    const id = state.current.id;
    const path = format === "manifest" ? `/v1/trajectories/${id}/manifest` : `/v1/trajectories/${id}/document?format=${format}`;
    const url = URL.createObjectURL(await (await call(path)).blob());
    element("a", { href: url, download: format === "manifest" ? `${id}-manifest.json` : `${id}.${format}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
});

// ---- history and navigation ----------------------------------------------------------------

async function listRecent(cursor = "") {
  const page = await read(`/v1/trajectories?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  const items = page.data.map((item) => element("li", {}, element("a", { href: `#/${item.id}`, "data-id": item.id },
    item.cover ? imageOf(item.cover, "", "cover") : element("span", { class: "cover" }),
    element("span", {}, element("span", { class: "line" }, item.prompt.replaceAll("<image>", "").trim()),
      element("span", { class: "when" }, `${STATUS[item.status][0]} · ${new Date(item.created_at).toLocaleString([], { dateStyle: "short", timeStyle: "short" })}`)))));
  if (cursor) $("history-list").append(...items);
  else $("history-list").replaceChildren(...items);
  state.cursor = page.next_cursor;
  $("history-more").hidden = !page.next_cursor;
  if (state.current) markCurrent(state.current.id);
}

function markCurrent(id) {
  for (const link of $("history-list").querySelectorAll("a")) {
    if (link.dataset.id === id) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function openHistory(open) {
  $("history").classList.toggle("open", open);
  $("history-toggle").setAttribute("aria-expanded", String(open));
}

function compose() {
  stopListening();
  state.current = null;
  $("trajectory").hidden = true;
  $("composer").hidden = false;
  document.title = "Interleave Studio";
  markCurrent("");
}

function route() {
  openHistory(false);
  const found = location.hash.match(/^#\/(trj_[0-9A-Za-z]{24})$/);
  if (found && state.current?.id !== found[1]) show(found[1]);
  else if (!found) compose();
}

$("history-more").addEventListener("click", () => listRecent(state.cursor).catch(() => {}));
$("history-toggle").addEventListener("click", () => openHistory(!$("history").classList.contains("open")));
$("new-button").addEventListener("click", () => { location.hash = ""; openHistory(false); compose(); $("prompt").focus(); });
$("brand").addEventListener("click", (event) => { event.preventDefault(); location.hash = ""; compose(); });
addEventListener("hashchange", () => (location.hash.startsWith("#key=") ? start() : route()));

async function start() {
  const given = location.hash.match(/^#key=(il_[0-9A-Za-z_-]{43})$/);
  if (given) { key.set(given[1]); history.replaceState(null, "", "/"); }
  if (!key.get()) { askForKey(); return; }
  try {
    await Promise.all([fillChoices(), listRecent()]);
    route();
  } catch (error) {
    report(error, $("form-error"));
  }
}

start();
