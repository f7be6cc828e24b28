// A dialog that keeps the focus and gives it back: the browser's own <dialog>, which owns the keyboard meanwhile.
import { cls, html, useEffect, useRef } from "../ui.js";
import { t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { Button } from "./button.js";

export function Dialog({ title, onClose, keys = {}, wide = false, full = false, children }) {
  const node = useRef(null);
  useKeys({ back: onClose, ...keys }, { modal: true, root: node });
  useEffect(() => {
    const { current } = node;
    const before = document.activeElement;
    if (!current.open) current.showModal();
    current.querySelector("[data-first]")?.focus();
    return () => {
      current.close();
      if (before?.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  const onCancel = (event) => {
    event.preventDefault();
    onClose();
  };
  const onClick = (event) => event.target === node.current && onClose();
  return html`<dialog
    ref=${node}
    class=${cls("dialog", { wide, full })}
    aria-label=${title}
    onCancel=${onCancel}
    onClick=${onClick}
  >
    <div class="dialog-body">
      <header class="dialog-head">
        <h2>${title}</h2>
        <${Button} icon="close" bare label=${t("button.close")} keyId="back" onClick=${onClose} />
      </header>
      ${children}
    </div>
  </dialog>`;
}
