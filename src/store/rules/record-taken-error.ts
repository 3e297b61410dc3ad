import type { LaneKey } from "../store.ts";

/** A lane could not be made: its record is paired with another resource. */
export class RecordTakenError extends Error {
  override readonly name = "RecordTakenError";
  readonly key: LaneKey;

  constructor(key: LaneKey) {
    super(
      `${key.recordType} ${String(key.recordId)} has another counterpart of type ${key.resourceType} in connection ${key.connectionId}`,
    );
    this.key = key;
  }
}
