/** All contenders by name. */
import type { Contender } from "./contender.ts";
import { evenAccounts, slowAccount } from "./accounts.ts";
import { limit, limitOne } from "./limit.ts";
import { productPoisoned } from "./poisoned.ts";
import { product } from "./product.ts";

export const CONTENDERS = {
  product,
  productPoisoned,
  evenAccounts,
  slowAccount,
  limit,
  limitOne,
} satisfies Record<string, Contender>;

export type ContenderName = keyof typeof CONTENDERS;
