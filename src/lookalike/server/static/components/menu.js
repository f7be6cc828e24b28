// A menu: a button that opens a list of things to do; arrows move in it, Escape closes it.
import { cls, html, useEffect, useRef, useState } from "../ui.js";
import { useKeys } from "../keys.js";
import { Icon } from "./icons.js";

/** items: [{label, act, checked?, href?}] or [{title, items}], or a function that gives or promises them. */
export function Menu({ icon, label, text, items, class: more }) {
  const [open, setOpen] = useState(null);
  const root = useRef(null);
  const show = async () => setOpen(open ? null : await (typeof items === "function" ? items() : items));
  const close = (focus = true) => {
    setOpen(null);
    if (focus) root.current?.querySelector("button")?.focus();
  };
  return html`<div class=${cls("menu", more)} ref=${root}>
    <button type="button" class=${cls("button", { bare: !text })} aria-haspopup="menu" aria-expanded=${Boolean(open)} aria-label=${label} title=${text ? undefined : label} onClick=${show}>
      ${icon && html`<${Icon} name=${icon} />`}${text && html`<span class="menu-text">${text}</span><${Icon} name="down" />`}
    </button>
    ${open && html`<${MenuList} parts=${open} root=${root} close=${close} label=${label} />`}
  </div>`;
}

function MenuList({ parts, root, close, label }) {
  const list = useRef(null);
  const step = (by) => {
    const all = [...list.current.querySelectorAll("[role^=menuitem]")];
    const at = all.indexOf(document.activeElement);
    all[by === 0 ? 0 : (at + by + all.length) % all.length]?.focus();
  };
  useKeys(
    {
      back: () => close(),
      move: (event) => {
        if (event.code === "ArrowDown") step(1);
        else if (event.code === "ArrowUp") step(-1);
        else if (event.code === "Home") step(0);
        else return false;
        return true;
      },
    },
    { modal: true, root: list },
  );
  useEffect(() => {
    step(0);
    const away = (event) => !root.current?.contains(event.target) && close(false);
    addEventListener("pointerdown", away);
    addEventListener("focusin", away);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("focusin", away);
    };
  }, []);
  const sections = parts[0]?.items ? parts : [{ items: parts }];
  return html`<div class="menu-list" role="menu" aria-label=${label} ref=${list}>
    ${sections.map(
      (part, i) => html`<div class="menu-part" role="group" aria-label=${part.title} key=${i}>
        ${part.title && html`<div class="menu-title" aria-hidden="true">${part.title}</div>`}
        ${part.items.map((item, at) => html`<${Item} key=${at} item=${item} close=${close} />`)}
      </div>`,
    )}
  </div>`;
}

function Item({ item, close }) {
  const isChoice = item.checked !== undefined;
  const act = () => {
    close();
    item.act();
  };
  return html`<button
    type="button"
    role=${isChoice ? "menuitemradio" : "menuitem"}
    aria-checked=${isChoice ? item.checked : undefined}
    tabindex="-1"
    class="menu-item"
    lang=${item.lang}
    onClick=${act}
  >
    ${isChoice && html`<span class="menu-check">${item.checked && html`<${Icon} name="yes" />`}</span>`}<span>${item.label}</span>
    ${item.note && html`<span class="note">${item.note}</span>`}
  </button>`;
}
