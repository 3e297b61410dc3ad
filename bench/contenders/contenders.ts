/** Everyone by name. */
import type { Contender } from "./contender.ts";
import { limit, limitOne } from "./limit.ts";
import { product } from "./product.ts";

export const CONTENDERS = { product, limit, limitOne } satisfies Record<string, Contender>;

export type ContenderName = keyof typeof CONTENDERS;
