// Draws the steps of a trajectory. Only steps that changed are redrawn, so pictures never flicker.

import { picture } from "./api.js";

const WAITING = {
  waiting: "Waiting for its turn",
  drawing: "Being drawn …",
  judging: "Being judged …",
  failed: "No picture could be made",
};
const SMALL_PX = 256;

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

export function imageOf(image, alt, extra = "") {
  const made = element("img", { alt, width: image.width, height: image.height, class: extra });
  made.style.aspectRatio = `${image.width} / ${image.height}`;
  picture(image).then((url) => { made.src = url; }, () => { made.alt = `${alt} (not available)`; });
  return made;
}

export function drawSteps(list, trajectory, actions) {
  const known = new Map(Array.from(list.children, (node) => [node.dataset.number, node]));
  trajectory.steps.forEach((step, index) => {
    const number = String(step.step_number);
    const print = JSON.stringify([step, trajectory.status, trajectory.final]);
    const old = known.get(number);
    known.delete(number);
    if (old && old.dataset.print === print) return;
    const made = stepNode(step, trajectory, actions, old);
    made.dataset.number = number;
    made.dataset.print = print;
    if (old) old.replaceWith(made);
    else list.insertBefore(made, list.children[index] || null);
  });
  for (const gone of known.values()) gone.remove();
}

function stepNode(step, trajectory, actions, old) {
  const state = { accepted: "done", text: "done", kept: "kept", failed: "failed", drawing: "drawing", judging: "drawing" }[step.status] || "";
  const body = element("div", { class: "step-body" }, pictureOf(step, trajectory.request));
  if (isSmall(trajectory.request)) body.classList.add("side");
  const made = element("li", { class: `step ${state}` }, head(step, trajectory, actions), body);
  if (old) made.style.setProperty("animation", "none");
  if (trajectory.status === "awaiting_approval" && step.prompt !== null) body.append(editor(step));
  const attempts = attemptsOf(step, old);
  if (attempts) body.append(attempts);
  return made;
}

function head(step, trajectory, actions) {
  const named = step.step_name && step.step_name !== step.text;
  const words = element("div", {}, element("h2", { class: named || !step.text ? "" : "text" }, named ? step.step_name : step.text || `Step ${step.step_number}`));
  if (named && step.text) words.append(element("p", { class: "text" }, step.text));
  const tools = element("div", { class: "step-tools" });
  if (trajectory.final && step.prompt !== null && step.attempts.length) {
    const label = `Redo step ${step.step_number} and what follows`;
    tools.append(element("button", { type: "button", class: "quiet", title: label, "aria-label": label, onclick: () => actions.retry(step) }, "Redo"));
  }
  return element("div", { class: "step-head" }, element("span", { class: "number", "aria-hidden": "true" }, String(step.step_number)), words, tools);
}

function pictureOf(step, request) {
  if (step.status === "text") return null;
  const frame = element("figure", { class: "picture" });
  const latest = step.attempts.findLast((attempt) => attempt.image && !attempt.speculative);
  const shown = step.image || (latest && latest.image);
  if (isSmall(request)) frame.classList.add("small");
  if (shown) frame.append(imageOf(shown, step.text || step.prompt || ""));
  else frame.append(placeholder(step, request));
  const note = noteOf(step, latest);
  if (shown && note) frame.append(element("figcaption", { class: "veil" }, note));
  return frame;
}

function placeholder(step, request) {
  const made = element("div", { class: "waiting" }, WAITING[step.status] || "");
  if (step.status === "drawing" || step.status === "judging") made.style.aspectRatio = `${request.width} / ${request.height}`;
  return made;
}

function isSmall(request) {
  return request.width <= SMALL_PX;
}

function noteOf(step, latest) {
  if (step.status === "kept") return "No attempt convinced the critic; this one was kept.";
  if (step.image) return "";
  if (step.status === "judging") return "The critic is looking …";
  const reason = latest && latest.verdict && !latest.verdict.success ? latest.verdict.reasoning : "";
  return step.status === "drawing" ? `Drawing again${reason ? `: ${reason}` : " …"}` : "";
}

function attemptsOf(step, old) {
  const told = step.attempts.filter((attempt) => !attempt.speculative && (attempt.image || attempt.problem));
  if (!told.length) return null;
  const refused = told.filter((attempt) => attempt.problem || (attempt.verdict && !attempt.verdict.success)).length;
  const before = old && old.querySelector("details.attempts");
  const wasOpen = before ? before.open || (refused > 0 && !before.querySelector(".bad")) : refused > 0;
  const words = `${told.length} attempt${told.length === 1 ? "" : "s"}${refused ? `, ${refused} refused` : ""}`;
  return element("details", { class: "attempts", open: wasOpen }, element("summary", {}, words), element("ul", {}, ...told.map((attempt) => attemptNode(attempt, step))));
}

function attemptNode(attempt, step) {
  const words = element("div", {}, element("strong", {}, `Attempt ${attempt.number} `), verdictPill(attempt, step));
  if (attempt.verdict && attempt.verdict.reasoning) words.append(element("p", {}, attempt.verdict.reasoning));
  if (attempt.problem) words.append(element("p", {}, attempt.problem.detail));
  words.append(element("p", { class: "prompt" }, attempt.prompt));
  const shown = attempt.image ? imageOf(attempt.image, `Attempt ${attempt.number}`) : element("span", { class: "blank" });
  return element("li", { class: "attempt" }, shown, words);
}

function verdictPill(attempt, step) {
  if (attempt.verdict) {
    return attempt.verdict.success ? element("span", { class: "pill good" }, "accepted") : element("span", { class: "pill bad" }, "refused");
  }
  if (attempt.problem) return element("span", { class: "pill bad" }, "no verdict");
  return attempt.number === step.chosen ? element("span", { class: "pill good" }, "taken") : "";
}

function editor(step) {
  const field = element("textarea", { rows: 2, "data-edit": String(step.step_number) });
  field.value = step.prompt;
  return element("label", { class: "edit" }, "What the generator will be told", field);
}
