/** The refusal of an answer to a create that names another record's resource; only a person can resolve it. */
import type { Lane } from "../../model/lane.ts";

/** A response names a resource that is paired with another record. It must not be merged without a person. */
export class ResourceTakenError extends Error {
  override readonly name = "ResourceTakenError";
  readonly code = "paired_elsewhere";
  readonly hint =
    "Look at both records with `tandem explain`; a person must end one of the pairings.";

  constructor({ resourceType, externalId, recordId }: Lane) {
    super(
      `the answer names ${resourceType} ${externalId ?? "(none)"}, which is paired with record ${recordId ?? "(none)"}`,
    );
  }
}
