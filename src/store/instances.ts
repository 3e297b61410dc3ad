/** The instance that owns the database, as the runtime reads and writes it. */
import type { Instant } from "../model/instant.ts";
import type { Instance, StoredInstance } from "../engine/limits/index.ts";

export interface InstanceStore {
  /** Reads the instance that the database stores, and the place where the database runs now. */
  read(): Promise<{ readonly stored: StoredInstance | null; readonly place: string | null }>;
  /** Writes whose it is from here on; it counts as set back no more. */
  adopt(instance: Instance): Promise<void>;
  /**
   * Writes that a host is at work, and tells when; that time only grows. `null`: the database does not
   * know the beat that the host has `seen`, and nothing is written.
   */
  beat(host: string, seen: Instant | null): Promise<Instant | null>;
  /** Tells everybody who works on the database that it was set back, unless it was approved after `seen`. */
  noteSetBack(why: string, seen: Instant): Promise<void>;
  /**
   * How often a transaction of this process found that the database may be another than it was, whereupon
   * what was asked of it before counts no more; and how often that was for a replica took over that may
   * lack what other processes have committed.
   */
  noticed(): { readonly doubts: number; readonly failovers: number };
}
