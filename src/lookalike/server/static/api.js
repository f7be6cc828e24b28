// Asks the server: the token in a header, errors as codes, and what to do when nobody answers.
import { away, connection, imageKey, c } from "./state.js";
import { getToken } from "./router.js";

const RETRY_MS = 1500;
const backAgain = new Set();

/** What the server refused, or that it did not answer. code: as in the API, or "server.gone", "aborted". */
export class ApiError extends Error {
  constructor(code, message = "", status = 0, details = {}) {
    super(message);
    Object.assign(this, { code, status, details });
  }
}

/** The answer of a route as JSON; raises ApiError. */
export async function api(path, options = {}) {
  const answer = await ask(path, options);
  if (!answer.headers.get("content-type")?.startsWith("application/json")) return answer;
  try {
    return await answer.json();
  } catch {
    throw new ApiError(options.signal?.aborted ? "aborted" : "server.gone"); // it broke off while it was read
  }
}

/** The answer of a route as it comes; raises ApiError. body: JSON, or a Blob as it is. */
export async function ask(path, { method, body, signal } = {}) {
  const headers = { authorization: `Bearer ${getToken()}` };
  const isBlob = body instanceof Blob;
  if (body !== undefined && !isBlob) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers,
      body: isBlob || body === undefined ? body : JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw new ApiError("aborted");
    lost();
    throw new ApiError("server.gone");
  }
  if (answer.ok) {
    if (connection.value === "gone") found();
    return answer;
  }
  const said = await answer.json().catch(() => ({}));
  const { code = "request", message = "", details = {} } = said.error ?? {};
  if (code === "collection.offline" || code.startsWith("storage.")) away.value++;
  if (answer.status === 401 && code === "access.token") connection.value = "token";
  throw new ApiError(code, message, answer.status, details);
}

/** The address of a route of the open collection. */
export const of = (path) => `/api/c/${c.value}${path}`;

export const thumbUrl = (asked, side = 320) =>
  asked.query
    ? of(`/queries/${asked.query}/thumb?key=${imageKey.value}`)
    : of(`/thumbs/${asked.id}?side=${side}&key=${imageKey.value}`);
export const imageUrl = (asked, side = 1600) =>
  asked.query ? thumbUrl(asked) : of(`/images/${asked.id}?side=${side}&key=${imageKey.value}`);
export const originalUrl = (id) => of(`/originals/${id}?key=${imageKey.value}`);
export const resultUrl = (jobId) => of(`/jobs/${jobId}/result?key=${imageKey.value}`);

/** Call this whenever the server answers again. */
export function whenBack(act) {
  backAgain.add(act);
}

function lost() {
  if (connection.value === "gone") return;
  connection.value = "gone";
  const knock = async () => {
    if (connection.value !== "gone") return;
    try {
      if ((await fetch("/healthz")).ok) return found();
    } catch {
      // Not yet.
    }
    setTimeout(knock, RETRY_MS);
  };
  setTimeout(knock, RETRY_MS);
}

function found() {
  connection.value = "ok";
  for (const act of backAgain) act();
}
