/** A database for one run of one entry, which is dropped after the run, even if the run failed. */
import pg from "pg";

export interface OwnDatabase {
  readonly url: string;
  /** One connection to it, so that measured statements run one after another. */
  readonly pool: pg.Pool;
  /** A superuser's connection to the server. */
  readonly admin: pg.Client;
}

export async function withOwnDatabase<T>(
  adminUrl: string,
  name: string,
  work: (database: OwnDatabase) => Promise<T>,
): Promise<T> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  try {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`create database ${name}`);
    const pool = new pg.Pool({ connectionString: url.href, max: 1 });
    // Dropping the database breaks this pool's connections, which no longer matters.
    pool.on("error", () => undefined);
    try {
      return await work({ url: url.href, pool, admin });
    } finally {
      await pool.end();
    }
  } finally {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.end();
  }
}
