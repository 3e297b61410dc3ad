/** The comments below a task or an issue, with the buttons for them. */
import { useState } from "preact/hooks";

export interface ThreadComment {
  readonly id: string;
  readonly author: string | null;
  readonly text: string;
}

/** Without `add`, `edit` and `remove` the comments are read-only. */
export function CommentThread({
  comments,
  add,
  edit,
  remove,
  failed,
}: {
  readonly comments: readonly ThreadComment[];
  readonly add?: (text: string) => Promise<unknown>;
  readonly edit?: (id: string, text: string) => Promise<unknown>;
  readonly remove?: (id: string) => Promise<unknown>;
  readonly failed: (error: unknown) => void;
}) {
  return (
    <div class="thread">
      <ul>
        {comments.map((comment) => (
          <CommentItem
            key={comment.id}
            comment={comment}
            edit={edit}
            remove={remove}
            failed={failed}
          />
        ))}
      </ul>
      {add === undefined ? null : (
        <CommentForm submit="Comment" text="" save={add} failed={failed} />
      )}
    </div>
  );
}

function CommentItem({
  comment,
  edit,
  remove,
  failed,
}: {
  readonly comment: ThreadComment;
  readonly edit: ((id: string, text: string) => Promise<unknown>) | undefined;
  readonly remove: ((id: string) => Promise<unknown>) | undefined;
  readonly failed: (error: unknown) => void;
}) {
  const [editing, setEditing] = useState(false);
  if (editing && edit !== undefined) {
    return (
      <li>
        <CommentForm
          submit="Save"
          text={comment.text}
          save={(text) => edit(comment.id, text)}
          saved={() => setEditing(false)}
          failed={failed}
        />
      </li>
    );
  }
  return (
    <li class="comment">
      <p class="faint">{comment.author ?? "unknown author"}</p>
      <p class="text">{comment.text}</p>
      <p class="comment-actions">
        {edit === undefined ? null : (
          <button type="button" class="quiet" onClick={() => setEditing(true)}>
            Edit
          </button>
        )}
        {remove === undefined ? null : (
          <button
            type="button"
            class="quiet danger"
            onClick={() => void remove(comment.id).catch(failed)}
          >
            Delete
          </button>
        )}
      </p>
    </li>
  );
}

function CommentForm({
  submit,
  text,
  save,
  saved,
  failed,
}: {
  readonly submit: string;
  readonly text: string;
  readonly save: (text: string) => Promise<unknown>;
  readonly saved?: () => void;
  readonly failed: (error: unknown) => void;
}) {
  const [draft, setDraft] = useState(text);
  return (
    <form
      class="comment-form"
      onSubmit={(event) => {
        event.preventDefault();
        save(draft).then(() => {
          setDraft("");
          saved?.();
        }, failed);
      }}
    >
      <textarea
        aria-label={submit === "Comment" ? "New comment" : "Comment"}
        placeholder="Write a comment…"
        rows={2}
        required
        value={draft}
        onInput={(event) => setDraft(event.currentTarget.value)}
      />
      <button type="submit" disabled={draft.trim() === ""}>
        {submit}
      </button>
    </form>
  );
}
