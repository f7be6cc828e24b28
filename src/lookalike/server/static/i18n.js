// Words in the reader's language: t(key, {values}); plural and numbers by Intl. No words stand in the code.
import { signal } from "./ui.js";
import { kept } from "./state.js";

export const LANGUAGES = { en: "English", ko: "한국어" };
const chosen = kept("language", null);
export const language = signal("en");
const words = signal({});

/** Load the words of the language that was chosen, or that the browser asks for. */
export async function loadWords(name = chosen.value ?? fromBrowser()) {
  const found = await (await fetch(new URL(`locales/${name}.json`, import.meta.url))).json();
  words.value = found;
  language.value = name;
  document.documentElement.lang = name;
}

export async function chooseLanguage(name) {
  chosen.value = name;
  await loadWords(name);
}

function fromBrowser() {
  const wanted = navigator.languages?.map((one) => one.slice(0, 2)) ?? [];
  return wanted.find((one) => one in LANGUAGES) ?? "en";
}

export const has = (key) => key in words.value;

/** The words for a key. {n} in values chooses the plural; numbers are written as the language writes them. */
export function t(key, values = {}) {
  let text = words.value[key];
  if (text === undefined) return key;
  if (typeof text === "object") text = text[plural().select(Number(values.n))] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? num(values[name]) : values[name] ?? ""));
}

/** The words for a code such as "image.too_large": its own, or those of what it begins with, or null. */
export function byCode(start, code) {
  for (let name = code; name; name = name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : "") {
    if (has(`${start}.${name}`)) return t(`${start}.${name}`);
  }
  return null;
}

/** An error in words, and the line of the library, which is English, beside it. */
export function errorWords(error) {
  const code = typeof error?.code === "string" ? error.code : ""; // a browser's own errors have numbers
  if (code === "collection.locked" && error.details?.process) return t("error.locked_by", holderWords(error.details));
  return byCode("error", code) ?? t("error.other");
}

/** Who holds the lock of a collection, as values for t(): its number is a name, not an amount. */
export const holderWords = ({ program, process, host, since }) => ({ program, host, process: String(process), since: date(since) });

const cached = new Map();
function cache(kind, make) {
  const key = `${language.value} ${kind}`;
  if (!cached.has(key)) cached.set(key, make(language.value));
  return cached.get(key);
}
const plural = () => cache("plural", (name) => new Intl.PluralRules(name));

export const num = (value, digits = 0) =>
  cache(`n${digits}`, (name) => new Intl.NumberFormat(name, { maximumFractionDigits: digits })).format(value);
export const percent = (share, digits = 0) =>
  cache(`p${digits}`, (name) => new Intl.NumberFormat(name, { style: "percent", maximumFractionDigits: digits })).format(share);
export const similarity = (value) => value.toFixed(2).replace(/^(-?)0\./, "$1.");
export const date = (value) =>
  cache("date", (name) => new Intl.DateTimeFormat(name, { dateStyle: "medium", timeStyle: "short" })).format(new Date(value));
export function bytes(value) {
  const unit = value < 1e6 ? "kilobyte" : value < 1e9 ? "megabyte" : "gigabyte";
  const by = { kilobyte: 1e3, megabyte: 1e6, gigabyte: 1e9 }[unit];
  const options = { style: "unit", unit, maximumFractionDigits: value / by < 10 ? 1 : 0 };
  return new Intl.NumberFormat(language.value, options).format(value / by);
}
export function seconds(value) {
  const minutes = Math.round(value / 60);
  return value < 90 ? t("time.seconds", { n: Math.max(1, Math.round(value)) }) : t("time.minutes", { n: minutes });
}
