/** Mutants of what is told late, or lands late, as simulated histories found. */
import type { CodeMutant } from "./mutant.ts";

const killedBy = ["test/situations/found-by-simulation-told-late.test.ts"];

export const toldLate: readonly CodeMutant[] = [
  {
    id: "transfer-unheard",
    rule: "What is heard late of an issue's old place makes no record there, though nobody knew of it",
    file: "src/runtime/follow-moves.ts",
    find: ": unheardOf(tx, move, from, mapping)",
    replace: ": told",
    killedBy,
  },
  {
    id: "transfer-unanswered",
    rule: "What a create has made goes to it, also where it was transferred before that was answered",
    file: "src/runtime/follow-moves.ts",
    find: "await adoptMade(tx, known, from, mapping, book, services)",
    replace: "false as boolean",
    killedBy: ["test/situations/found-by-simulation-unanswered.test.ts"],
  },
  {
    id: "transfer-token-left",
    rule: "... and is told by its token, though that is shown at its old place alone",
    file: "src/integrations/github/translate.ts",
    find: "token: seen.token ?? left",
    replace: "token: seen.token",
    killedBy: ["test/integrations/github/translate-transfer.test.ts"],
  },
  {
    id: "transfer-record-stays",
    rule: "Where a record was made of an issue, a lane that has none yet takes its place from nobody",
    file: "src/runtime/follow-moves.ts",
    find: "!(ended || own === null)",
    replace: "!ended",
    killedBy,
  },
  {
    id: "transfer-not-made-up-for",
    rule: "A look at a resource that was moved does not stand for the event that the move is followed by",
    file: "src/engine/learn.ts",
    find: "event.updatedAt === look.at || isOwed",
    replace: "event.updatedAt === look.at",
    killedBy,
  },
  {
    id: "moved-home",
    rule: "A record that comes back from elsewhere to where its resource was deleted gets another",
    file: "src/engine/place-record.ts",
    find: "isRevival || isFromElsewhere ||",
    replace: "isRevival ||",
    killedBy,
  },
  {
    id: "closed-again",
    rule: "What a late write of ours has opened after it was closed is closed again",
    file: "src/engine/undone.ts",
    find: "if (landed.length === 0) return admission;",
    replace: "if (landed.length >= 0) return admission;",
    killedBy,
  },
  {
    id: "closed-again-once",
    rule: "Each late write counts once: whoever opens it after that meant it",
    file: "src/engine/undone.ts",
    find: "lane.unanswered.filter((write) => !landed.includes(write))",
    replace: "lane.unanswered",
    killedBy,
  },
  {
    id: "switched-on-meanwhile",
    rule: "What is switched off for its connection is decided anew where that was switched on meanwhile",
    reasons: ["connection_paused"],
    file: "src/store/postgres/lane-writes.ts",
    find: "if (off.length > 0) writes.push(refuseSwitchedOn(tx, off));",
    replace: "",
    killedBy: [...killedBy, "test/store/postgres-store.test.ts"],
  },
];
