/**
 * Encryption of stored secrets: AES-256-GCM under a key from outside the database, so that a copy of the database
 * does not expose the secrets. A sealed text names its version and its key.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

const VERSION = "v1";
const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
/** The length of 128 bits in hex. A shorter text, such as a word, could be guessed. */
const SHORTEST_KEY = 32;

export interface SealingKey {
  /** Identifies a key without revealing it. */
  readonly id: string;
  readonly bytes: Buffer;
}

/** Reads keys from the environment: comma-separated, newest first. A text that is too short is skipped. */
export function sealingKeys(text: string | undefined): readonly SealingKey[] {
  return (text ?? "").split(",").flatMap((given) => {
    const key = given.trim();
    if (key.length < SHORTEST_KEY) return [];
    const bytes = createHash("sha256").update(`tandem sealing key ${key}`).digest();
    return [{ id: createHash("sha256").update(bytes).digest("hex").slice(0, 8), bytes }];
  });
}

export function sealText(text: string, { id, bytes }: SealingKey): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, bytes, iv);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  const parts = [iv, cipher.getAuthTag(), sealed].map((part) => part.toString("base64url"));
  return [VERSION, id, ...parts].join(".");
}

/** The text, or `null` if no key opens it or it was altered. */
export function openSealed(sealed: string, keys: readonly SealingKey[]): string | null {
  const [version, id, ...parts] = sealed.split(".");
  const [iv, tag, data] = parts.map((part) => Buffer.from(part, "base64url"));
  const key = keys.find((one) => one.id === id);
  if (version !== VERSION || key === undefined) return null;
  if (iv?.length !== IV_BYTES || tag?.length !== 16 || data === undefined) return null;
  try {
    const decipher = createDecipheriv(CIPHER, key.bytes, iv, { authTagLength: 16 });
    decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(data), decipher.final()]).toString("utf8");
  } catch {
    return null;
  }
}
