// Calls to the gateway: JSON, files, and the event stream (fetch, because it needs a header).

const KEY = "interleave.key";

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The service answered ${status}.`);
    this.status = status;
    this.code = body.code || "";
  }
}

export const key = {
  get: () => localStorage.getItem(KEY) || "",
  set: (value) => localStorage.setItem(KEY, value),
};

export async function call(path, { method = "GET", json, body, headers = {}, signal } = {}) {
  const answer = await fetch(path, {
    method,
    signal,
    headers: {
      Authorization: `Bearer ${key.get()}`,
      ...(json === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    body: json === undefined ? body : JSON.stringify(json),
  });
  if (answer.ok) return answer;
  let problem = {};
  try { problem = await answer.json(); } catch { /* not a problem document */ }
  throw new Problem(answer.status, problem);
}

export async function read(path, options) {
  const answer = await call(path, options);
  return answer.status === 204 ? null : answer.json();
}

export function retryKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

// Pictures need the key too, so they are fetched once and kept as object URLs.
const pictures = new Map();

export function picture(image) {
  if (!pictures.has(image.id)) {
    const loading = call(image.url).then((answer) => answer.blob()).then((blob) => URL.createObjectURL(blob));
    loading.catch(() => pictures.delete(image.id));
    pictures.set(image.id, loading);
  }
  return pictures.get(image.id);
}

// Follows a trajectory's events; resumes after a lost connection where it stopped.
export async function follow(id, after, onEvent, signal) {
  let seen = after;
  let pause = 500;
  while (!signal.aborted) {
    try {
      const headers = { "Last-Event-ID": String(seen), Accept: "text/event-stream" };
      const answer = await call(`/v1/trajectories/${id}/events`, { headers, signal });
      if (answer.status === 204) return;
      for await (const event of parse(answer.body)) {
        pause = 500;
        if (event.id) seen = Number(event.id);
        onEvent(event.type, JSON.parse(event.data));
      }
    } catch (error) {
      if (signal.aborted || (error instanceof Problem && error.status < 500 && error.status !== 429)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, 8000);
  }
}

async function* parse(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value.replaceAll("\r\n", "\n");
    let end;
    while ((end = buffer.indexOf("\n\n")) >= 0) {
      const event = fields(buffer.slice(0, end));
      buffer = buffer.slice(end + 2);
      if (event.data) yield event;
    }
  }
}

function fields(block) {
  const event = { type: "message", id: "", data: "" };
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) event.type = line.slice(6).trim();
    else if (line.startsWith("id:")) event.id = line.slice(3).trim();
    else if (line.startsWith("data:")) event.data += line.slice(5).trimStart();
  }
  return event;
}
