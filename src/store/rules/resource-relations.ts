/** Which relation shows the cached copies of a type of resource: `github_issues`. */
import type { Mapping } from "../../model/mapping.ts";

export interface ResourceRelations {
  relationOf(integration: string, resourceType: string): string;
}

/** As the mappings say; a type that no longer has a mapping keeps the name it would have by custom. */
export function resourceRelations(mappings: readonly Mapping[]): ResourceRelations {
  const declared = new Map(
    mappings.map((mapping) => [
      keyOf(mapping.integration, mapping.resource.type),
      mapping.resource.relation,
    ]),
  );
  return {
    relationOf: (integration, resourceType) =>
      declared.get(keyOf(integration, resourceType)) ?? `${integration}_${resourceType}s`,
  };
}

function keyOf(integration: string, resourceType: string): string {
  return `${integration}.${resourceType}`;
}
