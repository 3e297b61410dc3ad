/** Forms of both panes: a new task or issue, and the editor of an existing one. */
import { useState } from "preact/hooks";
import { Icon } from "../elements/index.ts";

export interface TextChanges {
  readonly title?: string;
  readonly text?: string;
}

/** Edits title and text. Sends only changed fields: the others may have changed on the other side. */
export function TextForm({
  title,
  text,
  save,
  failed,
}: {
  readonly title: string;
  readonly text: string;
  readonly save: (changes: TextChanges) => Promise<unknown>;
  readonly failed: (error: unknown) => void;
}) {
  // `null` until the person types: then the field follows updates from the other side.
  const [draftTitle, setDraftTitle] = useState<string | null>(null);
  const [draftText, setDraftText] = useState<string | null>(null);
  const touched = draftTitle !== null || draftText !== null;
  const reset = (): void => {
    setDraftTitle(null);
    setDraftText(null);
  };
  return (
    <form
      class="text-form"
      onSubmit={(event) => {
        event.preventDefault();
        const changes = {
          ...(draftTitle === null ? {} : { title: draftTitle }),
          ...(draftText === null ? {} : { text: draftText }),
        };
        save(changes).then(reset, failed);
      }}
    >
      <input
        aria-label="Title"
        required
        maxLength={256}
        value={draftTitle ?? title}
        onInput={(event) => setDraftTitle(event.currentTarget.value)}
      />
      <textarea
        aria-label="Text"
        rows={4}
        value={draftText ?? text}
        onInput={(event) => setDraftText(event.currentTarget.value)}
      />
      {touched ? (
        <div class="form-actions">
          <button type="submit" class="primary">
            Save
          </button>
          <button type="button" onClick={reset}>
            Cancel
          </button>
        </div>
      ) : null}
    </form>
  );
}

export function NewItem({
  name,
  create,
  failed,
}: {
  readonly name: "task" | "issue";
  readonly create: (title: string, text: string) => Promise<unknown>;
  readonly failed: (error: unknown) => void;
}) {
  const [title, setTitle] = useState("");
  return (
    <form
      class="new-item"
      onSubmit={(event) => {
        event.preventDefault();
        create(title, "").then(() => setTitle(""), failed);
      }}
    >
      <input
        aria-label={`Title of the new ${name}`}
        placeholder={`New ${name}…`}
        required
        maxLength={256}
        value={title}
        onInput={(event) => setTitle(event.currentTarget.value)}
      />
      <button type="submit" class="square" aria-label={`Add ${name}`}>
        <Icon name="plus" />
      </button>
    </form>
  );
}
