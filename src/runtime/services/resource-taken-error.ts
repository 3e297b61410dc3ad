/** What only a person can settle: our own create was answered with what another record has. */
import type { Lane } from "../../model/lane.ts";

/** A response that names a resource paired with another record is never merged by itself. */
export class ResourceTakenError extends Error {
  override readonly name = "ResourceTakenError";
  readonly code = "paired_elsewhere";
  readonly hint =
    "Look at both records with `tandem explain`; one of the pairings has to be ended by hand.";

  constructor({ resourceType, externalId, recordId }: Lane) {
    super(
      `the answer names ${resourceType} ${externalId ?? "(none)"}, which is paired with record ${recordId ?? "(none)"}`,
    );
  }
}
