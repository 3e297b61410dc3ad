/*
 * One lane: a resource, a record, the lane between them and one worker. Upserts only.
 *
 * One process chooses among all moves that are possible; each move is one step of the runtime's,
 * so that every order of steps is looked at. A move prints its name as `test/engine` calls it.
 * spec/README.md explains the model and names the function that carries out each move.
 *
 * Content is a byte, two bits a field. "0" and "1" are the provider's values, "2" and "3" the app's.
 * Times are ticks of the provider's clock, a second each; local changes carry their tick as well,
 * which is what is left of a finer clock once it is cut to the provider's steps.
 *
 * What may happen   NE remote edits   NB bumps       NL local edits (LREV: also back to "0")   NT ticks
 *                   NP poll pages under way          NX requests or workers lost
 *                   NO lost requests that land later NR failures for good                      NG lagging reads
 *                   NK inbound merges that the app refuses, since its record is newer
 *                   NS times that the inbound direction is switched off, and on again
 *                   PERMANENT: what failed inbound is not restarted by the poll
 * Policy            field (default) | RECORD | RESOURCE_WINS | RECORD_WINS | SETS: a field is a set of two
 * Fields            one, or TWO
 * End               one poll at rest; STRICT: at any moment after the faults; KEPT: no webhook is lost
 * Reads             READ_FIRST: a write reads the resource before it leaves; without it, one of ours has
 *                   just shown it (`readFreshness`), so that the other rules are looked at by themselves
 * Looked at         convergence; LOCAL: no local edit lost unrecorded; REMOTE: no remote edit either,
 *                   with READ_FIRST but for one between the read and the write's landing
 *
 * NO_... takes one rule away.
 */
#ifndef NE
#define NE 0
#endif
#ifndef NB
#define NB 0
#endif
#ifndef NL
#define NL 0
#endif
#ifndef NT
#define NT 0
#endif
#ifndef NP
#define NP 0
#endif
#ifndef NX
#define NX 0
#endif
#ifndef NO
#define NO 0
#endif
#ifndef NR
#define NR 0
#endif
#ifndef NG
#define NG 0
#endif
#ifndef NK
#define NK 0
#endif
#ifndef NS
#define NS 0
#endif

#ifdef TWO
#define NF 2
#define CONTENTS 16
#define SAY_DELIVERED(c,t) printf("step: deliver ua%db%d@%d\n", F(c,0), F(c,1), t)
#else
#define NF 1
#define CONTENTS 4
#define SAY_DELIVERED(c,t) printf("step: deliver ua%d@%d\n", F(c,0), t)
#endif

#define F(c,f) (((c) >> (2 * (f))) & 3)
#define PUT(c,f,v) c = ((c) & (15 - (3 << (2 * (f))))) | ((v) << (2 * (f)))
#define BIT(f) (1 << (f))
#define FIELDS for (f : 0 .. NF - 1)

/* ---- the provider, and what is on its way ---- */
byte T, U, clk;               /* the resource's content and time; now */
unsigned W0 : CONTENTS, W1 : CONTENTS, W2 : CONTENTS;   /* contents on the wire, by their time */
byte om, ov;                  /* a dead worker's request that may still land: fields, values */
#if NG > 0
byte PT, PU;                  /* the version before, which a lagging read still shows */
bit hid;                      /* what is known was read, and may be of before what its event said */
#define TRUST hid = 0
#define HIDDEN hid
#else
#define TRUST skip
#define HIDDEN 0
#endif

/* ---- the app ---- */
byte R;                       /* the record */
byte RM[NF];                  /* tick + 1 of each field's last change by the app */
bit ch;                       /* a captured change that was not drained */

/* ---- the lane ---- */
byte B, C;                    /* base, cached copy */
byte K, CK;                   /* known content, clock */
bit lost;                     /* known's bearer was canceled */
byte kb;                      /* known's bearer: 0 none 1 the inbound event that waits 2 the one under way 3 the outbound one that waits 4 a disabled one */
byte iq, qc, qt; bit qr;      /* inbound event: 0 none 1 queued 2 errored; content, time, re-read */
byte oq;                      /* outbound event likewise */
#if NS > 0
bit off, ds; byte dc, dt;     /* inbound is switched off; the newest disabled event, its content and time */
#define OFF off
#else
#define OFF 0
#endif
byte am, av;                  /* the attempt that is not settled: fields, values */
#if NX > 0
byte un[NF];                  /* values of attempts that nobody answered, a bit each */
#define UNANSWERED(f,v) (un[f] & BIT(v))
#else
#define UNANSWERED(f,v) 0
#endif
#ifdef REMOTE
byte wm[3], wv[3], wb[3], wc[3], ws[3];   /* the last writes: fields, values, base, clock, settled at + 1 */
#endif

/* ---- the worker ---- */
byte w;                       /* 0 idle 1 reading for an inbound event 2 looking for an outbound one 3 sent 4 answered */
byte pc, pt; bit pr;          /* the inbound event under way */
byte gc, gt;                  /* what was read or answered */

/* ---- budgets, phases, onlookers ---- */
byte nE = NE, nB = NB, nL = NL, nP = NP, nX = NX, nO = NO, nR = NR, nG = NG, nS = NS, nl, calm;
bit fin, polled;
#if NK > 0
byte nK = NK, old; bit keep;
#endif
#ifdef LOCAL
byte lp, ll, lv;              /* per field, or element of a set: the last local edit is pending, has landed; its value */
byte cf;                      /* per field: a conflict is on record */
#ifndef SETS
byte ns;                      /* per field: the app's last edit has not left, nor was it named */
#endif
#ifdef SETS
byte le, lo;                  /* per element: edited locally; the resource shows it since a write of ours */
#endif
#endif
#ifdef REMOTE
byte rp, rv;
byte cf;
#endif
#ifdef OWN_STAMP
byte was;
#endif
byte f, x, y, mc, mt, from, v; bit any, news, mine;

#if defined(LOCAL) || defined(REMOTE)
#define CONFLICT(f) cf = cf | BIT(f)
#else
#define CONFLICT(f) skip
#endif
#ifdef NO_LOSER
#define LOSER(f) skip
#else
#define LOSER(f) CONFLICT(f)
#endif

/* ---- doubt: what the lane knows may be wrong ---- */
#ifdef NO_DOUBT_PROCESSING
#define DOUBT_P 0
#else
#define DOUBT_P (w != 0)
#endif
#ifdef NO_DOUBT_ERRORED
#define DOUBT_E 0
#else
#define DOUBT_E (lost || (kb == 1 && iq == 2) || (kb == 3 && oq == 2))
#endif
#define DOUBT (DOUBT_P || am != 0 || DOUBT_E || kb == 4)

#ifdef KNOWN_IS_COPY
#define KNOWN C
#else
#define KNOWN K
#endif

#define WIRES (W0 || W1 || W2)
#define QUIET (w == 0 && iq != 1 && oq != 1 && !ch && !WIRES)

#if NK > 0
#define NO_MORE_REFUSALS nK = 0; keep = 0;
#else
#define NO_MORE_REFUSALS
#endif

#define STATE printf("state: tick %d resource %d@%d record %d base %d copy %d known %d@%d bearer %d in %d:%d@%d re %d out %d attempt %d:%d worker %d read %d@%d\n", \
  clk, T, U, R, B, C, K, CK, kb, iq, qc, qt, qr, oq, am, av, w, gc, gt)

inline toWire(c, t) {
  if :: (t) == 0 -> W0 = W0 | (1 << (c)) :: (t) == 1 -> W1 = W1 | (1 << (c)) :: else -> W2 = W2 | (1 << (c)) fi
}

/* The record shows what it shows: a remote edit that it shows has arrived. */
inline shown() {
#ifdef REMOTE
  FIELDS { if :: F(R, f) == F(rv, f) -> rp = rp & (3 - BIT(f)) :: else fi } f = 0
#else
  skip
#endif
}

inline version() {
#if NG > 0
  if :: PU != U || PT != T -> PT = T; PU = U :: else fi
#else
  skip
#endif
}

/* A write of ours takes effect at the provider. */
inline land(mask, vals) {
  version();
#if defined(LOCAL) && defined(SETS)
  for (v : 0 .. 1) {
    if :: ((vals) & BIT(v)) != (T & BIT(v)) -> lo = lo | BIT(v) :: else fi;
    if :: (le & BIT(v)) && ((vals) & BIT(v)) == (lv & BIT(v)) -> lp = lp & (3 - BIT(v)); ll = ll | BIT(v)
       :: (le & BIT(v)) && ((vals) & BIT(v)) != (lv & BIT(v)) && (ll & BIT(v)) && (T & BIT(v)) == (lv & BIT(v)) -> lp = lp | BIT(v)
       :: else
    fi
  }
  v = 0;
#endif
  FIELDS {
    if :: (mask) & BIT(f) ->
#if defined(LOCAL) && !defined(SETS)
      if :: F(vals, f) == F(lv, f) -> lp = lp & (3 - BIT(f)); ll = ll | BIT(f)
         :: else -> if :: (ll & BIT(f)) && F(T, f) == F(lv, f) -> lp = lp | BIT(f) :: else fi
      fi;
#endif
      PUT(T, f, F(vals, f))
    :: else
    fi
  }
  f = 0; U = clk; toWire(T, clk)
}

/* A remote edit that a write of ours covered: neither what was there before nor a value of ours. */
inline cover(c, t, now) {
#if defined(REMOTE) && !defined(NO_COVER)
  FIELDS {
    any = 0; mine = (F(c, f) == F(now, f));
    for (v : 0 .. 2) {
      if :: wm[v] & BIT(f) ->
         if :: F(wv[v], f) == F(c, f) -> mine = 1
            :: else -> if :: (t) >= wc[v] && (ws[v] == 0 || (t) < ws[v]) && F(wb[v], f) != F(c, f) -> any = 1 :: else fi
         fi
      :: else
      fi
    }
    v = 0;
    if :: any && !mine -> CONFLICT(f) :: else fi; any = 0; mine = 0
  }
  f = 0
#else
  skip
#endif
}

/* A re-read of its event's own second that does not show what the event said, nor a write of ours on it. */
inline doubt() {
#if NG > 0 && !defined(NO_DOUBT_LAG)
  if :: mt == pt && mt == CK ->
     FIELDS {
       mine = (F(mc, f) == F(pc, f));
#ifdef REMOTE
       for (v : 0 .. 2) {
         if :: (wm[v] & BIT(f)) && F(wv[v], f) == F(mc, f) && F(wb[v], f) == F(pc, f) -> mine = 1 :: else fi
       }
       v = 0;
#endif
       if :: !mine -> hid = 1 :: else fi; mine = 0
     }
     f = 0
  :: else
  fi
#else
  skip
#endif
}

#if NS > 0
/* Of what is disabled the newest goes on, by time, and of one second the one that came last. */
inline disable(c, t, bears) {
#ifdef NO_DISABLED
  if :: bears -> kb = 0; lost = 1 :: else fi
#else
  if
  :: ds && (t) < dt -> cover(c, t, dc); if :: bears -> kb = 0; lost = 1 :: else fi
  :: else ->
     if :: ds -> cover(dc, dt, c) :: else fi;
     if :: bears -> kb = 4 :: !(bears) && kb == 4 -> kb = 0; lost = 1 :: else fi;
     ds = 1; dc = c; dt = t
  fi
#endif
}
#endif

/* ---- admission: rows 2, and 4 to 7 ---- */
inline admit(c, t) {
  if
#if NS > 0
  :: off -> disable(c, t, 0)                                       /* row 2 */
#endif
#ifndef NO_OLDER
  :: !OFF && (t) < CK -> cover(c, t, K)                            /* row 4 */
#endif
#ifndef NO_CONTENT
  :: !OFF && (t) >= CK && (c) == KNOWN && !DOUBT ->                /* row 5 */
     CK = t; C = c;
#ifndef NO_LATER_TIME
     if :: kb == 1 && iq == 1 -> qt = t :: else fi
#endif
#endif
  :: else ->                                                       /* rows 6 and 7 */
     if :: iq != 0 -> cover(qc, qt, c) :: else fi;
#ifdef NO_EQUAL_REREAD
     qr = DOUBT;
#elif defined(NO_DOUBT_REREAD)
     qr = ((t) == CK);
#else
     qr = ((t) == CK || DOUBT);
#endif
#if NS > 0
     qr = (qr || (iq == 1 && qt >= (t) && qc != (c)));              /* what was disabled has not moved the clock */
#endif
     iq = 1; qc = c; qt = t; K = c; CK = t; kb = 1; lost = 0; TRUST;
#ifdef CROSS_CANCEL
     if :: oq != 0 -> oq = 0; if :: kb == 3 -> kb = 0; lost = 1 :: else fi :: else fi
#endif
  fi
}

/* An answer or a re-read moves what is known, and ends what is older than itself. */
inline learn(c, t, bearer) {
  if
#ifdef NO_LATER_READ
  :: (t) > CK ->
#else
  :: (t) >= CK ->
#endif
     K = c; CK = t; kb = bearer; lost = 0; TRUST;
#ifndef NO_END_OLDER
     if :: iq == 1 && qt < (t) -> cover(qc, qt, K); iq = 0; qc = 0; qt = 0; qr = 0
        :: iq == 1 && qt == (t) -> qr = 1
        :: else
     fi
#endif
  :: else
  fi
}

#define SENT(f) (am & BIT(f))
#define OWN(f) ((from == 3 && SENT(f) && (F(mc, f) == F(av, f) || F(R, f) != F(av, f))) \
             || (from != 3 && SENT(f) && F(mc, f) == F(av, f)))
#ifdef NO_UNKNOWN_CHANGED
#define UNKNOWN(f) 0
#else
#define UNKNOWN(f) (from != 3 && SENT(f))
#endif
#define LATE(f) (UNANSWERED(f, F(mc, f)) && F(mc, f) != F(B, f))
/* A set merged with what is seen, given the set before. */
#define MERGED(f,v) (((F(R, f) & ~((v) & ~F(mc, f))) | (F(mc, f) & ~(v))) & 3)
#define UNSENT(f) (F(R, f) != F(B, f) || UNKNOWN(f))
#define NEWS(f) (F(mc, f) != F(B, f) && !OWN(f) && !LATE(f))
#define LATER(f) (RM[f] > 0 && RM[f] - 1 > mt)
#ifdef NO_BASE_COMPARED
#define BOTH_DIFFER(f) 1
#else
#define BOTH_DIFFER(f) (F(mc, f) != F(B, f))
#endif

/* Winner of a field that both sides changed. */
#if defined(RESOURCE_WINS)
#define RECORD_FIRST(f) 0
#elif defined(RECORD_WINS)
#define RECORD_FIRST(f) 1
#elif defined(RECORD)
#define RECORD_FIRST(f) mine
#else
#define RECORD_FIRST(f) LATER(f)
#endif

/* The app said it shortly before the resource went on from it, and nobody has sent it, for both agreed. */
#if defined(LOCAL) && !defined(SETS) && !defined(NO_UNSAID)
#define UNSAID(f) if :: ns & BIT(f) -> CONFLICT(f); ns = ns & (3 - BIT(f)) :: else fi
#else
#define UNSAID(f) skip
#endif
#if defined(LOCAL) && !defined(SETS)
#define LEAVES(fields) ns = ns & (3 - (fields))
#else
#define LEAVES(fields) skip
#endif

#ifdef BASE_AGREED
#define BASE_OF_LOSER(f) skip
#else
#define BASE_OF_LOSER(f) PUT(B, f, F(mc, f))
#endif

/* ---- the planner: content mc of time mt, seen in a payload (1), a re-read (2) or an answer (3) ---- */
inline merge() {
  any = 0; news = 0; mine = 0;
#ifdef RECORD
  FIELDS {
    if :: UNSENT(f) -> any = 1 :: else fi;
    if :: NEWS(f) -> news = 1 :: else fi;
    if :: LATER(f) -> mine = 1 :: else fi
  }
#ifdef CLOCKS_ALWAYS
  any = 1; 
#endif
  any = any && news;
#endif
  FIELDS {
    if
#ifdef NO_ANSWER_NEWS
    :: from == 3 && !SENT(f) -> skip
#endif
    :: from == 3 && SENT(f) ->                                     /* the answer to our own write */
       if :: !OWN(f) -> PUT(R, f, F(mc, f)); LOSER(f) :: else fi;
       PUT(B, f, F(mc, f))
    :: !(from == 3 && SENT(f)) && OWN(f) -> PUT(B, f, F(mc, f))     /* sent with an unknown outcome: it landed */
    :: !(from == 3 && SENT(f)) && !OWN(f) && LATE(f) ->             /* our own late write */
       if :: F(R, f) != F(mc, f) -> LOSER(f) :: else fi;
       PUT(B, f, F(mc, f))
    :: else ->
       if
#ifdef RECORD
       :: any && F(R, f) == F(mc, f) -> PUT(B, f, F(mc, f))
       :: any && F(R, f) != F(mc, f) && mine && NEWS(f) -> BASE_OF_LOSER(f); LOSER(f)
       :: any && F(R, f) != F(mc, f) && !mine -> if :: UNSENT(f) -> LOSER(f) :: else fi; PUT(R, f, F(mc, f)); PUT(B, f, F(mc, f))
       :: (!any || (F(R, f) != F(mc, f) && mine && !NEWS(f))) ->
#else
       :: 1 ->
#endif
          if
#ifndef NO_BASE_COMPARED
          :: F(mc, f) == F(B, f) -> skip
#endif
          :: BOTH_DIFFER(f) ->
#ifdef SETS
             /* what we sent and see is no edit of theirs; then both sides' additions and removals happen */
             v = F(B, f);
#ifndef NO_OUR_CHANGES
             if :: UNKNOWN(f) -> v = (v & (F(av, f) | F(mc, f))) | (F(av, f) & ~F(B, f) & F(mc, f)) :: else fi;
#endif
#if NX > 0
             /* nor is what a write without an answer may have done since; where that makes a difference it is named */
             x = v;
             for (y : 0 .. 3) {
               if :: UNANSWERED(f, y) -> x = (x & (y | F(mc, f))) | (y & ~x & F(mc, f)) :: else fi
             }
             if :: MERGED(f, x) != MERGED(f, v) -> LOSER(f) :: else fi;
             v = x;
#endif
             x = F(mc, f) & ~v & 3; y = v & ~F(mc, f) & 3;
#ifdef NO_ELEMENTS
             PUT(R, f, F(mc, f));
#else
             PUT(R, f, (F(R, f) & ~y & 3) | x);
#endif
             PUT(B, f, F(mc, f)); v = 0; x = 0; y = 0
#else
             if
             :: !UNSENT(f) ->
                UNSAID(f);
#ifdef CLOCKS_ALWAYS
                if :: LATER(f) -> skip :: else -> PUT(R, f, F(mc, f)); PUT(B, f, F(mc, f)) fi
#else
                PUT(R, f, F(mc, f)); PUT(B, f, F(mc, f))
#endif
             :: UNSENT(f) && F(R, f) == F(mc, f) -> PUT(B, f, F(mc, f))
             :: UNSENT(f) && F(R, f) != F(mc, f) ->
                LOSER(f);
                if :: RECORD_FIRST(f) -> BASE_OF_LOSER(f) :: else -> PUT(R, f, F(mc, f)); PUT(B, f, F(mc, f)) fi
             fi
#endif
          fi
       fi
    fi
  }
  f = 0; any = 0; news = 0; mine = 0;
#ifdef CLOCKS_ALWAYS
  if :: B == mc -> C = mc :: else fi
#else
  C = mc
#endif
}

#if NK > 0
/* The app refused: the record wins whole, and base takes the resource's content all the same. */
inline keepRecord() {
  if :: keep && R != old ->
     FIELDS {
       if :: F(R, f) != F(old, f) -> CONFLICT(f);
#ifdef NO_KEEP_BASE
          PUT(B, f, F(old, f));
#endif
          PUT(R, f, F(old, f))
          :: else fi
     }
     f = 0
  :: else
  fi;
  keep = 0
}
#endif

/* A read or an answer settles the request under way; one that it does not show may still land. */
inline settle() {
  if :: am != 0 ->
#ifdef REMOTE
     ws[0] = mt + 1;
#endif
#if NX > 0 && !defined(FORGET_SENT)
     if :: from == 2 ->
        FIELDS { if :: SENT(f) && F(mc, f) != F(av, f) -> any = 1 :: else fi }
        FIELDS { if :: any && SENT(f) -> un[f] = un[f] | BIT(F(av, f)) :: else fi }
        f = 0; any = 0
     :: else fi;
#endif
     am = 0; av = 0
  :: else fi
}

/* Whoever ends an event queues an outbound one where record and base differ. */
inline queueUnsent() {
#ifndef NO_UNSENT_QUEUE
  if :: R != B && oq == 0 -> oq = 1 :: else fi
#else
  skip
#endif
}

/* The inbound event under way goes back to the queue; a newer one that waits cancels it. */
inline backInbound() {
  if :: iq == 1 -> cover(pc, pt, qc); if :: kb == 2 -> kb = 0; lost = 1 :: else fi
     :: else -> iq = 1; qc = pc; qt = pt; qr = pr; if :: kb == 2 -> kb = 1 :: else fi
  fi;
  pc = 0; pt = 0; pr = 0
}

/* Likewise the outbound one; `to` is 1 queued or 2 errored. */
inline backOutbound(to) {
  if :: oq == 1 -> if :: kb == 2 -> kb = 0; lost = 1 :: else fi
     :: else -> oq = to; if :: kb == 2 -> kb = 3 :: else fi
  fi
}

/* What an outbound event does next, looked or not: nothing to send, or a request. */
inline send() {
  FIELDS { if :: F(R, f) != F(B, f) -> x = x | BIT(f) :: else fi } f = 0;
  if
  :: x == 0 -> w = 0; if :: kb == 2 -> kb = 0 :: else fi
  :: else ->
#ifdef RECORD
     x = (1 << NF) - 1;
#endif
     am = x; av = R; w = 3; LEAVES(x);
#ifdef REMOTE
     wm[2] = wm[1]; wv[2] = wv[1]; wb[2] = wb[1]; wc[2] = wc[1]; ws[2] = ws[1];
     wm[1] = wm[0]; wv[1] = wv[0]; wb[1] = wb[0]; wc[1] = wc[0]; ws[1] = ws[0];
     wm[0] = x; wv[0] = R; wb[0] = B; wc[0] = CK; ws[0] = 0;
#endif
     if :: fin -> calm++; assert(calm <= 4) :: else fi                /* it does not go on writing */
  fi;
  x = 0; gc = 0; gt = 0
}

#ifdef NO_DOUBT_REREAD
#define UNSETTLED 0
#else
#define UNSETTLED (am != 0)
#endif
#ifdef NO_LOOK
#define LOOKS HIDDEN
#elif defined(READ_FIRST) && !defined(NO_READ_FIRST)
#define LOOKS 1
#else
#define LOOKS (am != 0 || HIDDEN)
#endif
#ifdef NO_ATTEMPT
#define NOT_COMMITTED am = 0; av = 0;
#else
#define NOT_COMMITTED
#endif

/* An event that failed goes back to the queue. */
inline restartInbound() {
#ifdef AS_IT_WAS
  iq = 1
#else
  if :: qt < CK -> cover(qc, qt, K); iq = 0; qc = 0; qt = 0; qr = 0; if :: kb == 1 -> kb = 0 :: else fi
     :: else -> iq = 1; qr = 1
  fi
#endif
}

#ifdef OUTBOUND_FIRST
#define INBOUND_MAY (oq != 1)
#define OUTBOUND_MAY 1
#else
#define INBOUND_MAY (!OFF)
#define OUTBOUND_MAY (iq != 1)
#endif

active proctype Lane() {
loop:
  do
  /* ---- the provider ---- */
#if NE > 0
  :: atomic { nE > 0 ->
#ifdef TWO
       if :: y = 0 :: y = 1 fi;
#endif
#ifdef SETS
       if :: x = F(T, 0) ^ 1 :: x = F(T, 0) ^ 2 fi;
#else
       if :: F(T, y) != 0 -> x = 0 :: F(T, y) != 1 -> x = 1 fi;
#endif
          d_step {
          nE--; version();
#if defined(LOCAL) && defined(SETS)
          v = (x ^ T) - 1; lo = lo & (3 - BIT(v));
          if :: (lv & BIT(v)) == (x & BIT(v)) -> ll = ll | BIT(v); lp = lp & (3 - BIT(v))
             :: else -> if :: ll & BIT(v) -> lp = lp & (3 - BIT(v)) :: else fi fi;
          v = 0;
#endif
#if defined(LOCAL) && !defined(SETS)
          if :: F(lv, y) == x -> ll = ll | BIT(y); lp = lp & (3 - BIT(y))
             :: else -> if :: ll & BIT(y) -> lp = lp & (3 - BIT(y)) :: else fi fi;
#endif
#ifdef REMOTE
#ifdef READ_FIRST
#define IN_ROUND_TRIP (w == 2 || w == 3)
#else
#define IN_ROUND_TRIP 0
#endif
          if :: IN_ROUND_TRIP || F(R, y) == x || (x == F(B, y) && F(T, y) < 2) -> rp = rp & (3 - BIT(y)) :: else -> rp = rp | BIT(y) fi;
          PUT(rv, y, x);
#endif
          PUT(T, y, x); U = clk; toWire(T, clk);
          if :: y == 0 -> printf("step: remote edit a=%d\n", x) :: else -> printf("step: remote edit b=%d\n", x) fi; x = 0; y = 0; STATE } }
#endif
#if NB > 0
  :: d_step { nB > 0 -> nB--; version(); U = clk; toWire(T, clk); printf("step: bump\n"); STATE }
#endif
#if NT > 0
  :: d_step { !fin && clk < NT -> clk++; printf("step: tick\n") }
#endif
#if NO > 0
  :: d_step { om != 0 -> land(om, ov); om = 0; ov = 0; printf("step: orphan lands\n"); STATE }
#endif
#if NP > 0
  :: d_step { nP > 0 -> nP--; toWire(T, U); printf("step: poll read\n") }
#endif
  /* ---- wires: in any order ---- */
  :: atomic { WIRES ->
       if :: W0 -> y = 0; mc = 0; mt = 0 :: W1 -> y = 1 :: W2 -> y = 2 fi;
       if
#define WIRE(n,c) :: y == n && (W##n & (1 << c)) -> x = c; W##n = W##n & ~(1 << c)
#define WIRE4(n,a,b,c,d) WIRE(n,a) WIRE(n,b) WIRE(n,c) WIRE(n,d)
       WIRE4(0,0,1,2,3) WIRE4(1,0,1,2,3) WIRE4(2,0,1,2,3)
#ifdef TWO
       WIRE4(0,4,5,6,7) WIRE4(0,8,9,10,11) WIRE4(0,12,13,14,15)
       WIRE4(1,4,5,6,7) WIRE4(1,8,9,10,11) WIRE4(1,12,13,14,15)
       WIRE4(2,4,5,6,7) WIRE4(2,8,9,10,11) WIRE4(2,12,13,14,15)
#endif
       fi;
       d_step { admit(x, y); SAY_DELIVERED(x, y); x = 0; y = 0; STATE } }
  /* ---- the app ---- */
#if NK > 0
  :: d_step { nK > 0 && !keep -> nK--; keep = 1; printf("step: the app will refuse\n") }
#endif
#if NL > 0
  :: atomic { nL > 0 ->
#ifdef TWO
       if :: y = 0 :: y = 1 fi;
#endif
#ifdef SETS
       if :: x = F(R, 0) ^ 1 :: x = F(R, 0) ^ 2 fi;
#else
       if :: x = nl + 2
#ifdef LREV
          :: F(R, y) != 0 -> x = 0
#endif
       fi;
#endif
          d_step {
          nL--; nl++;
#if defined(LOCAL) && defined(SETS)
          v = (x ^ R) - 1; le = le | BIT(v);
          if :: (x & BIT(v)) == (B & BIT(v)) && !((lo & BIT(v)) && (T & BIT(v)) != (x & BIT(v))) -> lp = lp & (3 - BIT(v)) :: else -> lp = lp | BIT(v) fi;
          if :: (T & BIT(v)) == (x & BIT(v)) -> ll = ll | BIT(v) :: else -> ll = ll & (3 - BIT(v)) fi;
          lv = (lv & (3 - BIT(v))) | (x & BIT(v)); v = 0;
#endif
#if defined(LOCAL) && !defined(SETS)
          if :: x == F(B, y) && !(F(T, y) >= 2 && F(T, y) != x) -> lp = lp & (3 - BIT(y)) :: else -> lp = lp | BIT(y) fi;
          if :: F(T, y) == x -> ll = ll | BIT(y) :: else -> ll = ll & (3 - BIT(y)) fi;
          PUT(lv, y, x); ns = ns | BIT(y);
#endif
          PUT(R, y, x); RM[y] = clk + 1; ch = 1; shown();
          if :: y == 0 -> printf("step: local edit a=%d\n", x) :: else -> printf("step: local edit b=%d\n", x) fi; x = 0; y = 0; STATE } }
  :: d_step { ch -> ch = 0; if :: kb == 3 -> kb = 0; lost = 1 :: else fi;
#ifdef EVENT_UNKNOWN
       if :: oq != 0 -> am = 0; av = 0 :: else fi;                   /* the event that knew is canceled */
#endif
       oq = 1;
#ifdef CROSS_CANCEL
       if :: iq != 0 -> iq = 0; qc = 0; qt = 0; qr = 0; if :: kb == 1 -> kb = 0 :: else fi :: else fi;
#endif
       printf("step: drain\n"); STATE }
#endif
  /* ---- the worker: an inbound event ---- */
  :: atomic { w == 0 && iq == 1 && INBOUND_MAY ->
       d_step {
       iq = 0; if :: kb == 1 -> kb = 2 :: else fi;
       printf("step: start inbound upsert\n");
       if
#ifndef NO_RECHECK
       :: qt < CK -> cover(qc, qt, K); if :: kb == 2 -> kb = 0 :: else fi; from = 0
       :: qt >= CK && (qr || (qt == CK && K != qc) || UNSETTLED) ->
#else
       :: qr || UNSETTLED ->
#endif
          from = 2; gc = T; gt = U; pc = qc; pt = qt; pr = qr
       :: else -> from = 1; mc = qc; mt = qt
       fi;
       qc = 0; qt = 0; qr = 0 };
       if
       :: from == 0 -> STATE
       :: from == 1 -> goto merging
       :: from == 2 -> from = 0; w = 1; STATE
#if NG > 0
       :: from == 2 && nG > 0 && (PU != U || PT != T) -> d_step { from = 0; w = 1; nG--; gc = PT; gt = PU; printf("step: read lags\n"); STATE }
#endif
       fi }
#if NR > 0
  :: d_step { w == 0 && iq == 1 && !qr && nR > 0 && INBOUND_MAY -> nR--; iq = 2; printf("step: inbound errored\n"); STATE }
  :: d_step { iq == 2 && !fin -> restartInbound(); printf("step: restart inbound\n"); STATE }
  :: d_step { oq == 2 && !fin -> oq = 1; printf("step: restart outbound\n"); STATE }
#endif
  :: atomic { w == 1 ->
       printf("step: commit re-read\n");
       if
       /* stale: it is tried again */
#ifndef NO_STALE_RETRY
       :: gt < CK -> d_step { w = 0; gc = 0; gt = 0; backInbound(); STATE }
       :: gt >= CK ->
#else
       :: 1 ->
#endif
          d_step { w = 0; mc = gc; mt = gt; from = 2; gc = 0; gt = 0;
#ifndef NO_REREAD_KNOWN
          learn(mc, mt, 2)
#endif
          };
          goto merging
       fi }
#if NX > 0
  :: d_step { w == 1 && nX > 0 -> nX--; w = 0; gc = 0; gt = 0; backInbound(); printf("step: crash in read\n"); STATE }
#endif
  /* ---- the worker: an outbound event ---- */
  :: atomic { w == 0 && oq == 1 && OUTBOUND_MAY ->
       d_step { oq = 0; if :: kb == 3 -> kb = 2 :: else fi; printf("step: start outbound upsert\n");
         if :: LOOKS -> w = 2; gc = T; gt = U :: else -> send() fi; STATE };
#if NG > 0
       /* where it looks for what a read hid, it has waited until none lags any more */
       if :: skip :: w == 2 && !hid && nG > 0 && (PU != U || PT != T) -> d_step { nG--; gc = PT; gt = PU; printf("step: read lags\n"); STATE } fi
#endif
     }
  :: atomic { w == 2 ->
       printf("step: commit look\n");
       if
#ifndef NO_STALE_RETRY
       :: gt < CK -> d_step { w = 0; gc = 0; gt = 0; backOutbound(1); STATE }
       :: gt >= CK ->
#else
       :: 1 ->
#endif
          d_step { mc = gc; mt = gt; from = 2; gc = 0; gt = 0; learn(mc, mt, 2) };
          goto merging
       fi }
  :: d_step { w == 3 -> land(am, av); gc = T; gt = U; w = 4; printf("step: patch arrives\n"); STATE }
#if NX > 0
  :: d_step { w == 3 && nX > 0 -> nX--; w = 0; NOT_COMMITTED backOutbound(1); printf("step: patch lost\n"); STATE }
#if NO > 0
  :: d_step { w == 3 && nX > 0 && nO > 0 && om == 0 -> nX--; nO--; w = 0; om = am; ov = av; NOT_COMMITTED backOutbound(1); printf("step: patch orphaned\n"); STATE }
#endif
  :: d_step { w == 2 && nX > 0 -> nX--; w = 0; gc = 0; gt = 0; backOutbound(1); printf("step: crash in look\n"); STATE }
  :: d_step { w == 4 && nX > 0 -> nX--; w = 0; gc = 0; gt = 0; NOT_COMMITTED backOutbound(1); printf("step: crash in answered\n"); STATE }
#endif
#if NR > 0
  :: d_step { w == 3 && nR > 0 -> nR--; w = 0; am = 0; av = 0; backOutbound(2); printf("step: patch refused\n"); STATE }
#endif
  :: atomic { w == 4 ->
       printf("step: commit answer\n");
       d_step { mc = gc; mt = gt; from = 3; gc = 0; gt = 0; learn(mc, mt, 0) };
       goto merging }
  /* ---- the faults stop; webhooks may be lost; one poll ---- */
#if NS > 0
  :: d_step { nS > 0 && !off -> nS--; off = 1; printf("step: switch inbound off\n"); STATE }
  /* whoever would claim what waits disables it */
  :: d_step { off && w == 0 && iq == 1 -> iq = 0; disable(qc, qt, kb == 1); qc = 0; qt = 0; qr = 0; printf("step: disable what waits\n"); STATE }
  :: d_step { off -> off = 0;
       if
       :: ds && iq != 1 -> if :: iq == 2 && kb == 1 -> kb = 0; lost = 1 :: else fi; iq = 1; qc = dc; qt = dt;
#ifndef NO_ENABLE_REREAD
          qr = 1;
#endif
          if :: kb == 4 -> kb = 1 :: else fi
       /* what waits may be the older one: what was disabled has not moved the clock */
       :: ds && iq == 1 && dt > qt ->
          cover(qc, qt, dc); if :: kb == 1 -> kb = 0; lost = 1 :: kb == 4 -> kb = 1 :: else fi;
          qc = dc; qt = dt; qr = 1
       :: ds && iq == 1 && dt <= qt ->
          cover(dc, dt, qc); if :: kb == 4 -> kb = 0; lost = 1 :: else fi;
          qr = (qr || (dt == qt && dc != qc))
       :: else
       fi;
       ds = 0; dc = 0; dt = 0;
       printf("step: switch inbound on\n"); STATE }
#endif
  :: d_step { !fin && om == 0 -> fin = 1; nE = 0; nB = 0; nL = 0; nP = 0; nX = 0; nO = 0; nR = 0; nG = 0; nS = 0; nl = 0; NO_MORE_REFUSALS printf("step: faults stop\n") }
#ifndef KEPT
  :: d_step { fin && WIRES -> W0 = 0; W1 = 0; W2 = 0; printf("step: webhooks lost\n") }
#endif
#ifdef STRICT
  :: d_step { fin && !polled && !OFF ->
#else
  :: d_step { fin && !polled && !OFF && QUIET ->
#endif
       polled = 1; admit(T, U);
#ifndef NO_POLL_RESTART
#ifndef PERMANENT
       if :: iq == 2 -> restartInbound() :: else fi;
#endif
       if :: oq == 2 -> oq = 1 :: else fi;
#endif
       printf("step: POLL\n"); STATE }
  :: atomic { fin && polled && QUIET && !OFF ->
       assert(R == T && B == T && C == T);                            /* record = base = cached copy = resource */
#if defined(LOCAL) && defined(SETS)
       for (v : 0 .. 1) { assert(!(lp & BIT(v)) || (R & BIT(v)) == (lv & BIT(v)) || cf) } v = 0;
#endif
#if defined(LOCAL) && !defined(SETS)
       FIELDS { assert(!(lp & BIT(f)) || F(R, f) == F(lv, f) || (cf & BIT(f))) }   /* no local edit lost unrecorded */
#if NE == 0
       assert(R == lv);                                               /* where nobody else edits, the app is right */
#endif
#endif
#ifdef REMOTE
       FIELDS { assert(!(rp & BIT(f)) || F(R, f) == F(rv, f) || (cf & BIT(f))) }   /* no remote edit lost unrecorded */
#endif
       break }
  od;
  goto over;

merging:
  atomic { d_step {
#if NK > 0
    old = R; merge(); if :: from != 3 && w != 2 -> keepRecord() :: else fi; old = 0; shown();
#else
#ifdef OWN_STAMP
    was = R; merge(); FIELDS { if :: F(R, f) != F(was, f) -> RM[f] = clk + 1 :: else fi } f = 0; was = 0; shown();
#else
    merge(); shown();
#endif
#endif
#if defined(LOCAL) && defined(SETS)
    /* the resource showed the element as it was edited here: both sides agree on it */
    for (v : 0 .. 1) { if :: (B & BIT(v)) == (lv & BIT(v)) && (R & BIT(v)) == (lv & BIT(v)) -> lp = lp & (3 - BIT(v)) :: else fi } v = 0;
#endif
    if :: from == 2 && w == 0 -> cover(pc, pt, K); doubt(); pc = 0; pt = 0; pr = 0 :: else fi;
    if :: from != 1 -> settle() :: else fi;
    if
    :: w == 2 -> send()
    :: else -> w = 0; if :: kb == 2 -> kb = 0 :: else fi; queueUnsent()
    fi;
    mc = 0; mt = 0; from = 0; STATE };
    goto loop }
over:
  skip
}
