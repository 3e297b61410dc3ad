/** Whose database this is, as the runtime reads and writes it. */
import type { Instance } from "../engine/instance.ts";

export interface InstanceStore {
  /** What the database says of itself, and where it lives now. */
  read(): Promise<{ readonly stored: Instance | null; readonly place: string | null }>;
  /** Writes whose it is from here on. */
  adopt(instance: Instance): Promise<void>;
}
