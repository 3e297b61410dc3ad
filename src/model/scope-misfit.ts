/** A scope value that no record can have: reported by `tandem connect`, and again at run time (situation 71). */
import type { Mapping } from "./mapping.ts";

/** Why no row can have a value in its scope column. */
export type ScopeMisfit =
  | { readonly kind: "not_of_type"; readonly type: string }
  /** The column shows the same value as another text, so no row would be found by this one. */
  | { readonly kind: "written_otherwise"; readonly as: string }
  | { readonly kind: "no_row"; readonly table: string };

export interface UnfitScope {
  /** The setting that names the column. */
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

/** The misfit in words for people. */
export function describeMisfit(mapping: Mapping, scope: string, misfit: ScopeMisfit): UnfitScope {
  const { recordType, scopeColumn, integration, resource } = mapping;
  const column = `${recordType}.${scopeColumn ?? ""}`;
  const path = `records.${recordType}.sync["${integration}.${resource.type}"].scope`;
  switch (misfit.kind) {
    case "not_of_type":
      return {
        path,
        message: `scope ${scope} does not fit ${column}, which is of type ${misfit.type}`,
        hint: `Connect the container to a value that ${column} can have.`,
      };
    case "written_otherwise":
      return {
        path,
        message: `scope ${scope} is written ${misfit.as} in ${column}`,
        hint: `Connect the container to scope ${misfit.as}.`,
      };
    case "no_row":
      return {
        path,
        message: `scope ${scope}: ${column} refers to ${misfit.table}, which has no row ${scope}`,
        hint: `Create that row of ${misfit.table}, or connect the container to the scope of one that exists.`,
      };
  }
}

const UNFIT = "scope_unfit";

/** Why a connection is switched off while its scope is unfit. */
export function unfitReason({ message }: UnfitScope): string {
  return `${UNFIT}: ${message}`;
}

/** Whether a connection was switched off because of its scope, and is switched on again once the scope fits. */
export function isOffForScope(pausedReason: string | null): boolean {
  return pausedReason?.startsWith(`${UNFIT}: `) === true;
}
