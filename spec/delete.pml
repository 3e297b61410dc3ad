/*
 * Deletions on both sides of one paired lane, among edits of one field. What happens to an upsert is
 * explained in lane.pml; here it is told as briefly as the deletions need it.
 *
 * The record and the resource are deleted with each other. A deletion's webhook carries the time of
 * the edit before it. A resource that is gone answers 404, or GONE: 410.
 *
 * What may happen   NE remote edits  NL local edits  NDR remote deletions  NDL local deletions
 *                   NX requests or workers lost  NC re-creations  NT ticks
 *                   NU reads answered 404 although the resource is there: access was lost for a while
 *                   READS: a read by id, admitted later, and one in the sweep
 *                   READ_FIRST: writes and deletions read before they leave; without it our own answer has just
 *                   shown the resource (`readFreshness`), so that the other rules are looked at by themselves
 * End               one poll, then one sweep, each at rest; NO_SWEEP: the poll alone
 *                   KEPT_DELETES: no webhook of a deletion is lost
 *
 * NO_... takes one rule away.
 */
#ifndef NE
#define NE 0
#endif
#ifndef NL
#define NL 0
#endif
#ifndef NDR
#define NDR 0
#endif
#ifndef NDL
#define NDL 0
#endif
#ifndef NX
#define NX 0
#endif
#ifndef NC
#define NC 0
#endif
#ifndef NT
#define NT 0
#endif
#ifndef NU
#define NU 0
#endif
#if defined(READ_FIRST) && !defined(NO_READ_FIRST)
#define READS_FIRST 1
#else
#define READS_FIRST 0
#endif
#if defined(GONE) || defined(MISSING_IS_GONE)
#define SAYS_GONE             /* a read that finds nothing is taken for the deletion */
#endif

/* ---- the provider, and what is on its way: contents by time, deletions by time ---- */
bit X = 1; byte T, U, clk;
unsigned W0 : 4, W1 : 4; bit D0, D1;
byte vr, vc, vt;              /* a read by id on its way to admission: 1 began before the tombstone 2 after it; what it saw */
/* ---- the app ---- */
bit E = 1; byte R, RM;        /* the record; tick + 1 of its last change */
byte ch, dr;                  /* captured: 0 nothing 1 an edit 2 a deletion, with the content deleted */
/* ---- the lane ---- */
bit P = 1;                    /* it has its record's id */
bit hb = 1; byte B;           /* base */
byte K, CK; bit kb;           /* known, clock; the inbound event that waits bears it */
byte tb;                      /* tombstone: 0 none 1 of the resource 2 of the record */
byte iq, qc, qt; bit qr;      /* inbound: 0 none 1 upsert 2 upsert errored 3 delete */
byte oq;                      /* outbound: 0 none 1 upsert 2 upsert errored 3 delete */
bit am; byte av;              /* the attempt that is not settled */
/* ---- the worker: 0 idle 1 reading 2 looking 3 patch sent 4 answered 5 delete sent 6 answered 7 looking before it ---- */
byte w; bit gx; byte gc, gt; byte pc, pt; bit pr;
#ifdef READ_FIRST
bit named, late;              /* what a deletion takes along is on record; an edit came in its round trip */
#define IN_ROUND_TRIP if :: w == 5 || w == 7 -> late = 1 :: else fi
#else
#define IN_ROUND_TRIP skip
#endif
/* ---- budgets, phases, onlookers ---- */
byte nE = NE, nL = NL, nDR = NDR, nDL = NDL, nX = NX, nC = NC, nU = NU, calm;
bit fin, polled, swept, verified;
bit lp, cf, detached, back;   /* a local edit is pending; a conflict on record; kept on purpose; re-created at the provider */
byte x, y;

#define WIRES (W0 || W1 || D0 || D1 || vr)
#define QUIET (w == 0 && (iq == 0 || iq == 2) && (oq == 0 || oq == 2) && ch == 0 && !WIRES)
#define DOUBT (w != 0 || am || iq == 2)
#define LATER(t) (RM > 0 && RM - 1 > (t))
#define STATE printf("state: tick %d resource %d:%d@%d record %d:%d base %d:%d known %d@%d tomb %d in %d:%d@%d re %d out %d attempt %d:%d worker %d cf %d lp %d\n", \
  clk, X, T, U, E, R, hb, B, K, CK, tb, iq, qc, qt, qr, oq, am, av, w, cf, lp)

inline toWire(c, t) { if :: (t) == 0 -> W0 = W0 | (1 << (c)) :: else -> W1 = W1 | (1 << (c)) fi }
inline goneOnWire() { if :: U == 0 -> D0 = 1 :: else -> D1 = 1 fi }
inline endInbound() { iq = 0; qc = 0; qt = 0; qr = 0; kb = 0 }

inline take(c, t) { iq = 1; qc = c; qt = t; K = c; CK = t; kb = 1 }

/* A deletion obeys rows 1 to 3 only, for it carries the time of the edit before it. */
inline admitDelete(t) {
  if
  :: tb != 0 -> tb = 1
#ifdef DELETE_BY_CLOCK
  :: tb == 0 && ((t) < CK || (LATER(t) && ch == 0)) -> skip
  :: tb == 0 && !((t) < CK || (LATER(t) && ch == 0)) ->
#else
  :: tb == 0 ->
#endif
     endInbound(); iq = 3;
#ifndef NO_TOMBSTONE_AT_ADMISSION
     tb = 1
#endif
  fi
}

/* Rows 3 to 7 of an upsert. `seen` is 2 where a read by id began after the tombstone. */
inline admitUpsert(c, t, seen) {
  if
#if defined(NO_VERIFY)
  :: tb == 1 && iq != 3 && oq != 3 && w < 5 && (seen) >= 0 ->
#elif defined(NO_VERIFY_TIME)
  :: tb == 1 && iq != 3 && oq != 3 && w < 5 && (seen) >= 1 ->
#else
  :: tb == 1 && iq != 3 && oq != 3 && w < 5 && (seen) == 2 ->       /* re-created */
#endif
     tb = 0; qr = 0; take(c, t)
#if defined(NO_VERIFY)
  :: tb != 0 && !(tb == 1 && iq != 3 && oq != 3 && w < 5 && (seen) >= 0) -> skip
#elif defined(NO_VERIFY_TIME)
  :: tb != 0 && !(tb == 1 && iq != 3 && oq != 3 && w < 5 && (seen) >= 1) -> skip
#else
  :: tb != 0 && !(tb == 1 && iq != 3 && oq != 3 && w < 5 && (seen) == 2) -> skip
#endif
  :: tb == 0 && (t) < CK -> skip
  :: tb == 0 && (t) >= CK && (c) == K && !DOUBT -> CK = t; if :: iq == 1 && kb -> qt = t :: else fi
  :: tb == 0 && (t) >= CK && !((c) == K && !DOUBT) -> qr = ((t) == CK || DOUBT); take(c, t)
  fi
}

inline learn(c, t) {
  if :: (t) >= CK -> K = c; CK = t; kb = 0;
        if :: iq == 1 && qt < (t) -> endInbound() :: iq == 1 && qt == (t) -> qr = 1 :: else fi
     :: else
  fi
}

/* What is deleted stays deleted: only what was re-created at the provider makes a record. */
inline create() { assert(back); E = 1; P = 1; hb = 0; lp = 0 }

/* Content c of time t is merged; what we sent and see (own) is no edit of theirs. */
inline merge(c, t, own) {
  if
  :: !E -> B = c; hb = 1                                            /* the record is gone: nothing to write */
  :: E && !hb -> R = c; B = c; hb = 1
  :: E && hb && (own) && (c) == av -> B = c
  :: else ->
     if
     :: (c) == B -> skip
     :: (c) != B && R == B && !am -> R = c; B = c
     :: (c) != B && !(R == B && !am) && R == (c) -> B = c
     :: else -> cf = 1; if :: LATER(t) -> B = c :: else -> R = c; B = c fi
     fi
  fi
}

inline queueUnsent() { if :: E && hb && R != B && oq == 0 && tb == 0 -> oq = 1 :: else fi }

inline backInbound() { if :: iq != 0 -> skip :: else -> iq = 1; qc = pc; qt = pt; qr = pr; kb = (pc == K) fi; pc = 0; pt = 0; pr = 0 }
inline backOutbound(to) { if :: oq != 0 -> skip :: else -> oq = to fi }

/* What an outbound upsert does next, looked or not. */
inline send() {
  if
  :: tb != 0 || !E || R == B -> w = 0
  :: else -> am = 1; av = R; w = 3; if :: fin -> calm++; assert(calm <= 4) :: else fi
  fi;
  gx = 0; gc = 0; gt = 0
}

active proctype Lane() {
  do
  /* ---- the provider ---- */
#if NE > 0
  :: d_step { X && nE > 0 && T != 1 -> nE--; T = 1; U = clk; toWire(T, U); IN_ROUND_TRIP; printf("step: remote edit a=1\n"); STATE }
  :: d_step { X && nE > 0 && T != 0 -> nE--; T = 0; U = clk; toWire(T, U); IN_ROUND_TRIP; printf("step: remote edit a=0\n"); STATE }
#endif
#if NDR > 0
  :: d_step { X && nDR > 0 -> nDR--; X = 0; goneOnWire(); printf("step: remote delete\n"); STATE }
#endif
#if NC > 0
  :: d_step { !X && nC > 0 -> nC--; X = 1; back = 1; U = clk; toWire(T, U); printf("step: remote re-creation\n"); STATE }
#endif
#ifdef READS
  /* a read by id, which is admitted later */
  :: d_step { X && vr == 0 && !verified -> verified = 1; vr = (tb == 0 -> 1 : 2); vc = T; vt = U; printf("step: read by id\n"); STATE }
  :: d_step { vr != 0 -> admitUpsert(vc, vt, vr); vr = 0; vc = 0; vt = 0; printf("step: admit the read by id\n"); STATE }
#endif
#if NT > 0
  :: d_step { !fin && clk < NT -> clk++; printf("step: tick\n") }
#endif
  /* ---- wires ---- */
#define WIRE(n,c) :: d_step { W##n & (1 << c) -> W##n = W##n & ~(1 << c); admitUpsert(c, n, 0); printf("step: deliver ua%d@%d\n", c, n); STATE }
  WIRE(0,0) WIRE(0,1) WIRE(0,2)
#if NT > 0
  WIRE(1,0) WIRE(1,1) WIRE(1,2)
#endif
  :: d_step { D0 -> D0 = 0; admitDelete(0); printf("step: deliver d@0\n"); STATE }
  :: d_step { D1 -> D1 = 0; admitDelete(1); printf("step: deliver d@1\n"); STATE }
  /* ---- the app ---- */
#if NL > 0
  :: d_step { E && nL > 0 && R != 2 -> nL--; R = 2; RM = clk + 1; ch = 1; lp = 1; printf("step: local edit a=2\n"); STATE }
#endif
#if NDL > 0
  :: d_step { E && nDL > 0 -> nDL--; E = 0; dr = R; R = 0; ch = 2; printf("step: local delete\n"); STATE }
#endif
  :: d_step { ch == 1 -> ch = 0; if :: tb != 0 -> skip :: else -> oq = 1 fi; printf("step: drain\n"); STATE }
  :: d_step { ch == 2 -> ch = 0;
#ifndef NO_LOST_WITH
       if :: hb && dr != B -> cf = 1 :: else fi;
#endif
       dr = 0; if :: tb != 0 -> skip :: else -> oq = 3; tb = 2 fi;
       printf("step: drain\n"); STATE }
  /* ---- the worker: inbound ---- */
  :: d_step { w == 0 && iq == 1 -> printf("step: start inbound upsert\n");
       if
       :: tb != 0 || qt < CK -> skip
       :: tb == 0 && qt >= CK && (qr || (qt == CK && K != qc) || am) -> gx = X; gc = T; gt = U; pc = qc; pt = qt; pr = qr; w = 1
       :: else ->
#ifndef NO_MISSING_COUNTS
          if :: !E && P -> skip                                     /* a paired record that is missing counts as deleted */
             :: else -> if :: !E -> create() :: else fi; merge(qc, qt, 0)
          fi
#else
          if :: !E -> create() :: else fi; merge(qc, qt, 0)
#endif
       fi;
       endInbound(); queueUnsent(); STATE }
  :: d_step { w == 0 && iq == 3 -> endInbound(); am = 0; av = 0; printf("step: start inbound delete\n");
       if
       :: !E || !P -> skip
#ifdef NO_DETACH
       :: else -> E = 0; R = 0; P = 0; hb = 0; B = 0
#else
       :: E && P && R != B -> cf = 1; detached = 1                  /* an unsent edit turns the deletion into a detachment */
       :: E && P && R == B -> E = 0; R = 0; P = 0; hb = 0; B = 0
#endif
       fi;
       if :: oq == 2 -> oq = 0 :: else fi; tb = 1; STATE }
  :: d_step { w == 1 -> w = 0; printf("step: commit re-read\n");
       if
       :: !gx ->
#ifdef SAYS_GONE
          admitDelete(gt); pc = 0; pt = 0; pr = 0
#else
          if :: iq != 0 -> skip :: else -> iq = 2; qc = pc; qt = pt; qr = pr; kb = (pc == K) fi; pc = 0; pt = 0; pr = 0
#endif
       :: gx && gt < CK -> backInbound()
       :: gx && gt >= CK ->
#ifdef NO_MISSING_COUNTS
          if :: tb != 0 -> skip :: else -> learn(gc, gt); if :: !E -> create() :: else fi; merge(gc, gt, am); am = 0; av = 0 fi;
#else
          if :: tb != 0 || (!E && P) -> skip
             :: else -> learn(gc, gt); if :: !E -> create() :: else fi; merge(gc, gt, am); am = 0; av = 0
          fi;
#endif
          pc = 0; pt = 0; pr = 0
       fi;
       gx = 0; gc = 0; gt = 0; queueUnsent(); STATE }
  /* ---- the worker: outbound ---- */
  :: d_step { w == 0 && oq == 1 && iq != 1 && iq != 3 -> oq = 0; printf("step: start outbound upsert\n");
       if
       :: tb != 0 || !E -> skip
       :: tb == 0 && E && (am || iq == 2 || READS_FIRST) -> gx = X; gc = T; gt = U; w = 2
       :: else -> send()
       fi;
       STATE }
  :: d_step { w == 2 -> printf("step: commit look\n");
       if
       :: !gx ->
          gx = 0; w = 0;
#ifdef SAYS_GONE
          admitDelete(gt)
#else
          backOutbound(2)
#endif
       :: gx && gt < CK -> w = 0; backOutbound(1)
       :: gx && gt >= CK -> learn(gc, gt); merge(gc, gt, am); am = 0; av = 0; send()
       fi;
       gx = 0; gc = 0; gt = 0; STATE }
  :: d_step { w == 3 -> gx = X; if :: X -> T = av; U = clk; toWire(T, U); if :: av == 2 -> lp = 0 :: else fi :: else fi; gc = T; gt = U; w = 4; printf("step: patch arrives\n"); STATE }
  :: d_step { w == 4 -> w = 0; printf("step: commit answer\n");
       if
       :: !gx ->
#ifdef SAYS_GONE
          admitDelete(gt)
#else
          am = 0; backOutbound(2)
#endif
       :: gx -> learn(gc, gt); merge(gc, gt, 1); am = 0; av = 0; queueUnsent()
       fi;
       gx = 0; gc = 0; gt = 0; STATE }
#if defined(READ_FIRST) && !defined(NO_READ_FIRST)
  :: d_step { w == 0 && oq == 3 && iq != 1 && iq != 3 -> oq = 0; w = 7; gx = X; gc = T; gt = U; late = 0; printf("step: start outbound delete\n"); STATE }
  :: d_step { w == 7 -> printf("step: commit look\n");
       if
       :: !gx -> w = 0                                              /* nothing is left to delete */
       :: gx && gt < CK -> w = 0; oq = 3
       :: gx && gt >= CK -> if :: gc != B && gc != 2 -> named = 1 :: else fi; w = 5; am = 1
       fi;
       gx = 0; gc = 0; gt = 0; STATE }
  :: d_step { w == 7 && nX > 0 -> nX--; w = 0; gx = 0; gc = 0; gt = 0; oq = 3; printf("step: crash in look\n"); STATE }
#else
  :: d_step { w == 0 && oq == 3 && iq != 1 && iq != 3 -> oq = 0; w = 5; am = 1; printf("step: start outbound delete\n"); STATE }
#endif
  :: d_step { w == 5 ->
#ifdef READ_FIRST
       assert(!X || T == B || T == 2 || named || late);             /* no remote edit is deleted unrecorded */
#endif
       if :: X -> X = 0; goneOnWire() :: else fi; w = 6; printf("step: delete arrives\n"); STATE }
  :: d_step { w == 6 -> w = 0; am = 0; av = 0; printf("step: commit answer\n"); STATE }
#if NU > 0
  :: d_step { (w == 1 || w == 2) && gx && nU > 0 -> nU--; gx = 0; printf("step: read is answered 404\n"); STATE }
#endif
#if NX > 0
  :: d_step { w == 1 && nX > 0 -> nX--; w = 0; gx = 0; gc = 0; gt = 0; backInbound(); printf("step: crash in read\n"); STATE }
  :: d_step { w == 2 && nX > 0 -> nX--; w = 0; gx = 0; gc = 0; gt = 0; backOutbound(1); printf("step: crash in look\n"); STATE }
  :: d_step { w == 3 && nX > 0 -> nX--; w = 0; backOutbound(1); printf("step: patch lost\n"); STATE }
  :: d_step { w == 5 && nX > 0 -> nX--; w = 0; oq = 3; printf("step: delete lost\n"); STATE }
  :: d_step { w == 4 && nX > 0 -> nX--; w = 0; gx = 0; gc = 0; gt = 0; backOutbound(1); printf("step: crash in answered\n"); STATE }
  :: d_step { w == 6 && nX > 0 -> nX--; w = 0; oq = 3; printf("step: crash in answered\n"); STATE }
#endif
  /* ---- the end ---- */
  :: d_step { !fin -> fin = 1; nE = 0; nL = 0; nX = 0; nDR = 0; nDL = 0; nC = 0; nU = 0; printf("step: faults stop\n") }
  :: d_step { fin && (W0 || W1
#ifndef KEPT_DELETES
       || D0 || D1
#endif
       ) -> W0 = 0; W1 = 0;
#ifndef KEPT_DELETES
       D0 = 0; D1 = 0;
#endif
       printf("step: webhooks lost\n") }
  :: d_step { fin && QUIET && !polled -> polled = 1; if :: X -> admitUpsert(T, U, 0) :: else fi; printf("step: POLL\n"); STATE }
#ifndef NO_SWEEP
  :: d_step { fin && QUIET && polled && !swept -> swept = 1;
       if :: !X && tb == 0 -> admitDelete(CK)
          :: X && tb == 2 && oq != 3 -> oq = 3
#ifdef READS
          :: X && tb == 1 -> admitUpsert(T, U, 2)                   /* asked by id: it is here again */
#endif
          :: else
       fi;
       printf("step: SWEEP\n"); STATE }
  :: d_step { fin && QUIET && polled && swept ->
#else
  :: d_step { fin && QUIET && polled ->
#endif
       assert(X == E || (detached && !X));                            /* both, or neither; or it was let go of */
       /* they agree, but for an answer 404, which is a permanent error until the sweep confirms it */
       assert(!(X && E) || (R == T && B == T) || oq == 2 || iq == 2);
       assert(E || !lp || cf);                                        /* no local edit lost unrecorded */
       assert(!E || P) } -> break
  od
}
