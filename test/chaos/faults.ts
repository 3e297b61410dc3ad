/** The faults, each as how it begins and how it ends. */
import { MISBEHAVIOURS } from "../harness/misbehaving-provider.ts";
import { type ChaosSite, REPOSITORY } from "./chaos-site.ts";
import type { Setting } from "./settings.ts";

export interface Fault {
  readonly name: string;
  /** Whether it is among the few that run at every change. */
  readonly isQuick: boolean;
  /** It is played on a site of its own, set up so. */
  readonly setting?: Exclude<Setting, "plain">;
  /** The database itself loses what it had confirmed: that is to be told, and healed once approved. */
  readonly losesWork?: true;
  /** Webhooks cannot be stored meanwhile: at least one has to be answered 503. */
  readonly refusesWebhooks?: true;
  readonly begin: (site: ChaosSite) => Promise<void> | void;
  readonly end: (site: ChaosSite) => Promise<void> | void;
}

/** Enough webhooks that their table needs room that it does not have yet. */
const WEBHOOKS_BEYOND = 60;
/** The wait that GitHub asks for after too many requests. */
const PAUSE = { retryAfterSeconds: 2 };

/** The part of a setting that its fault breaks. */
function own<T>(part: T | null): T {
  if (part === null) throw new Error("this site is not set up for the fault");
  return part;
}

export const FAULTS: readonly Fault[] = [
  {
    name: "database killed",
    isQuick: true,
    begin: ({ database }) => database.halt("immediate"),
    end: ({ database }) => database.resume(),
  },
  {
    name: "database silent",
    isQuick: true,
    begin: ({ network }) => {
      network.silence();
    },
    end: ({ network }) => {
      network.heal();
    },
  },
  {
    name: "database half-open",
    isQuick: false,
    begin: ({ network }) => {
      network.silence();
    },
    end: ({ network }) => {
      network.forget();
    },
  },
  {
    name: "database slow",
    isQuick: false,
    begin: ({ network }) => {
      network.slowDown(200);
    },
    end: ({ network }) => {
      network.slowDown(0);
    },
  },
  {
    name: "database failed over (synchronous)",
    isQuick: false,
    setting: "synchronous replica",
    begin: ({ ground }) => own(ground.replicated).failOver(),
    end: () => undefined,
  },
  {
    name: "database failed over (asynchronous)",
    isQuick: false,
    setting: "asynchronous replica",
    losesWork: true,
    begin: async ({ ground, workers, sql }) => {
      // The replica has a task, and lacks the commit that says that an issue was created for it.
      for (const worker of workers) worker.send("SIGSTOP");
      await sql("insert into tasks (project_id, title) values (1, 'created there since')");
      await own(ground.replicated).cutOff();
      for (const worker of workers) worker.send("SIGCONT");
    },
    end: ({ ground }) => own(ground.replicated).failOver(),
  },
  {
    name: "disk full",
    isQuick: false,
    setting: "small disk",
    refusesWebhooks: true,
    begin: async ({ ground, github }) => {
      await own(ground.disk).fill();
      const mona = github.as("mona");
      for (let nth = 1; nth <= WEBHOOKS_BEYOND; nth += 1) {
        mona.openIssue(REPOSITORY, { title: `beyond the disk: ${String(nth)}` });
      }
    },
    end: async ({ ground, database, sql }) => {
      await own(ground.disk).free();
      // Postgres ends where it cannot write its log, and its operator starts it again.
      await sql("select 1").catch(() => database.resume());
    },
  },
  {
    name: "pooler killed",
    isQuick: false,
    setting: "pooler",
    refusesWebhooks: true,
    begin: ({ ground }) => own(ground.pooler).kill(),
    end: ({ ground }) => own(ground.pooler).start(),
  },
  {
    name: "database killed behind a pooler",
    isQuick: false,
    setting: "pooler",
    refusesWebhooks: true,
    begin: ({ database }) => database.halt("immediate"),
    end: ({ database }) => database.resume(),
  },
  {
    name: "clocks an hour ahead and behind",
    isQuick: false,
    setting: "wrong clocks",
    begin: ({ github }) => {
      // A pause is the one time that workers tell each other.
      github.faults.api.secondaryLimit = PAUSE;
    },
    end: ({ github }) => {
      github.faults.api.secondaryLimit = null;
    },
  },
  {
    name: "clocks set back",
    isQuick: false,
    setting: "wrong clocks",
    begin: ({ server, workers }) => {
      // As where a machine was moved: one worker stands still, too, beyond its leases.
      for (const child of [server, ...workers]) child.send("SIGUSR2");
      workers[0]?.send("SIGSTOP");
    },
    end: ({ workers }) => {
      workers[0]?.send("SIGCONT");
    },
  },
  {
    name: "worker stopped (SIGSTOP)",
    isQuick: false,
    begin: ({ workers }) => {
      workers[0]?.send("SIGSTOP");
    },
    end: ({ workers }) => {
      workers[0]?.send("SIGCONT");
    },
  },
  ...(["down", "slow"] as const).map((how) => ({
    name: `github ${how}`,
    isQuick: how === "down",
    begin: ({ spoilGitHub }: ChaosSite) => {
      spoilGitHub(how);
    },
    end: ({ spoilGitHub }: ChaosSite) => {
      spoilGitHub(null);
    },
  })),
  ...MISBEHAVIOURS.map((how) => ({
    name: `github ${how.name}`,
    isQuick: how.name === "redirects to another repository",
    begin: ({ spoilGitHub }: ChaosSite) => {
      spoilGitHub(how);
    },
    end: ({ spoilGitHub }: ChaosSite) => {
      spoilGitHub(null);
    },
  })),
];
