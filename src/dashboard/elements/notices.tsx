/** Failures of the reader's actions, each with its remedy. */
import { Icon } from "./icons.tsx";

export interface Notice {
  readonly text: string;
  readonly hint: string;
}

export function Notices({
  notice,
  dismiss,
}: {
  readonly notice: Notice | null;
  readonly dismiss: () => void;
}) {
  return (
    <div class="notices" role="alert">
      {notice === null ? null : (
        <div class="notice">
          <p>
            <strong>{notice.text}</strong> {notice.hint}
          </p>
          <button type="button" class="quiet square" aria-label="Dismiss" onClick={dismiss}>
            <Icon name="cross" />
          </button>
        </div>
      )}
    </div>
  );
}
