/** A sheet beside the ledger: a dialog that closes by a click beside it, the Escape key or its button. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";

export function Sheet({
  title,
  close,
  children,
}: {
  readonly title: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="drawer"
      aria-labelledby="sheet-title"
      onClose={close}
      onClick={(event) => {
        // The target of a click beside the sheet is the dialog element itself.
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="sheet">
        <div class="sheet-head">
          <h2 id="sheet-title">{title}</h2>
          <button
            type="button"
            class="quiet square"
            aria-label="Close"
            onClick={() => dialog.current?.close()}
          >
            <Icon name="cross" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
