/** The faults, each as how it begins and how it ends. */
import { MISBEHAVIOURS } from "../harness/misbehaving-provider.ts";
import type { ChaosSite, Replication } from "./chaos-site.ts";

export interface Fault {
  readonly name: string;
  /** Whether it is among the few that run at every change. */
  readonly isQuick: boolean;
  /** It is played on a site of its own, whose database is replicated so. */
  readonly replication?: Exclude<Replication, null>;
  /** The database itself loses what it had confirmed: that is to be told, and healed once approved. */
  readonly losesWork?: true;
  readonly begin: (site: ChaosSite) => Promise<void> | void;
  readonly end: (site: ChaosSite) => Promise<void> | void;
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
    replication: "synchronous",
    begin: ({ replicated }) => replicated?.failOver(),
    end: () => undefined,
  },
  {
    name: "database failed over (asynchronous)",
    isQuick: false,
    replication: "asynchronous",
    losesWork: true,
    begin: async ({ replicated, workers, sql }) => {
      // What the replica has is a task, and what it lacks is that an issue was created for it.
      for (const worker of workers) worker.send("SIGSTOP");
      await sql("insert into tasks (project_id, title) values (1, 'created there since')");
      await replicated?.cutOff();
      for (const worker of workers) worker.send("SIGCONT");
    },
    end: ({ replicated }) => replicated?.failOver(),
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
