/*
 * A child (a comment) and its parent (an issue): INBOUND, where the resources are there and the records
 * are to come, or OUTBOUND, where it is the other way round.
 *
 * ND  deletions of the parent    NX  outcomes of the parent's create that nobody learns
 * NC  deletions of the parent's record that only close its resource
 * NO_POLL: webhooks alone, and the sweep. Then what no webhook told of is not there, but nothing waits for ever.
 *
 * NO_... takes one rule away.
 */
#if !defined(INBOUND) && !defined(OUTBOUND)
#error one of INBOUND and OUTBOUND is to be defined
#endif
#ifndef ND
#define ND 0
#endif
#ifndef NX
#define NX 0
#endif
#ifndef NC
#define NC 0
#endif

/* ---- resources and records; the lanes' tombstones ---- */
bit PX, CX, PR, CR, ptomb, ctomb;
/* ---- what is on the wire: the parent, its deletion, the child ---- */
bit wp, wd, wc;
/* ---- events: 0 none 1 queued 2 waits for the parent 3 ended as the parent has; of the parent also 4 delete ---- */
byte pe, ce; bit overdue, passed;   /* the child's deadline has passed */
bit bound, sent, cBound;      /* the parent's external id is known; its create was sent; the child's resource is made */
byte w;                       /* the parent's create: 0 nothing 1 sent 2 answered */
bit chd;                      /* the parent's row was deleted and that not drained */
byte nD = ND, nX = NX, nC = NC; bit fin, polled, swept;

#define STATE printf("state: parent %d/%d child %d/%d tombs %d%d events %d %d wires %d%d%d bound %d worker %d\n", PX, PR, CX, CR, ptomb, ctomb, pe, ce, wp, wd, wc, bound, w)
#define WIRES (wp || wd || wc)
/* A child that waits looks again from time to time; nothing comes of it until its parent or deadline does. */
#define QUIET (pe != 1 && pe != 4 && ce != 1 && w == 0 && !chd && !WIRES && !(ce == 2 && overdue))

inline admitParent() { if :: ptomb || PR -> skip :: else -> pe = 1 fi }
inline admitChild() { if :: ctomb || CR || ce != 0 -> skip :: else -> ce = 1 fi }
inline wake() { if :: ce == 2 -> ce = 1 :: else fi }
inline deleteParent() { if :: ptomb -> skip :: else -> ptomb = 1; pe = 4 fi }

active proctype Family() {
#ifdef INBOUND
  PX = 1; CX = 1; wp = 1; wc = 1;
#else
  PR = 1; CR = 1; pe = 1; ce = 1;
#endif
  do
#ifdef INBOUND
  :: d_step { nD > 0 && PX -> nD--; PX = 0; CX = 0; wd = 1; printf("step: remote delete of the parent\n"); STATE }
  :: d_step { nC > 0 && PR -> nC--; PR = 0; ptomb = 1; if :: CR -> CR = 0; ctomb = 1 :: else fi; printf("step: local delete that closes the parent\n"); STATE }
  :: d_step { wp -> wp = 0; admitParent(); printf("step: deliver the parent\n"); STATE }
  :: d_step { wd -> wd = 0; deleteParent(); printf("step: deliver the parent's deletion\n"); STATE }
  :: d_step { wc -> wc = 0; admitChild(); printf("step: deliver the child\n"); STATE }
  :: d_step { pe == 1 -> pe = 0; PR = 1; wake(); printf("step: start the parent\n"); STATE }
  /* the app deletes what belongs to the row as well, and says so */
  :: d_step { pe == 4 -> pe = 0; PR = 0; if :: CR -> CR = 0; ctomb = 1 :: else fi; wake(); printf("step: start the parent's deletion\n"); STATE }
  :: d_step { ce == 1 -> printf("step: start the child\n");
       if
#ifndef NO_ENDED
       :: ptomb -> ce = 3                                             /* the parent has ended, and takes no more children */
       :: !ptomb && PR -> CR = 1; ce = 0
       :: !ptomb && !PR ->
#else
       :: PR -> CR = 1; ce = 0
       :: !PR ->
#endif
#ifdef NO_PARENT_WAIT
          CR = 1; ce = 0
#else
          if
#ifndef NO_DEADLINE
          :: overdue && PX -> admitParent(); ce = 2; overdue = 0      /* the wait is over: the parent is read */
          :: overdue && !PX -> ce = 3                                 /* it cannot be read: a permanent error */
#endif
          :: else -> ce = 2; overdue = 0
          fi
#endif
       fi;
       assert(!CR || PR);                                             /* no child without its parent */
       STATE }
#else
  /* ---- outbound: the parent's create, with its outcome unknown for a while ---- */
  :: d_step { nD > 0 && PR -> nD--; PR = 0; chd = 1; printf("step: local delete of the parent\n"); STATE }
  :: d_step { chd -> chd = 0; ptomb = 1; pe = (bound -> 4 : 0); wake(); printf("step: drain\n"); STATE }
  :: d_step { pe == 1 && w == 0 -> pe = 0; printf("step: start the parent\n");
       if :: ptomb || !PR -> skip :: !ptomb && PR && sent && PX -> bound = 1; wake() :: else -> sent = 1; w = 1 fi; STATE }
  :: d_step { w == 1 -> PX = 1; w = 2; printf("step: the parent's POST lands\n"); STATE }
  :: d_step { w == 2 -> w = 0; bound = 1; wake(); if :: ptomb && pe == 0 -> pe = 4 :: else fi; printf("step: the parent's answer\n"); STATE }
  :: d_step { w != 0 && nX > 0 -> nX--; w = 0; if :: ptomb -> skip :: else -> pe = 1 fi; printf("step: the parent's outcome is lost\n"); STATE }
  :: d_step { pe == 4 && w == 0 -> pe = 0; PX = 0; CX = 0; printf("step: the parent's removal\n"); STATE }
  :: d_step { ce == 1 -> printf("step: start the child\n");
       if
#ifndef NO_ENDED
       :: ptomb -> ce = 3
       :: !ptomb && bound -> assert(bound); cBound = 1; CX = PX; ce = 0
       :: !ptomb && !bound ->
#else
       :: bound -> cBound = 1; CX = PX; ce = 0
       :: !bound ->
#endif
#if defined(NO_PARENT_WAIT)
          assert(bound)                                               /* never sent orphaned */
#elif defined(NO_KEEP)
          ce = 0                                                      /* dropped */
#else
          ce = 2
#endif
       fi;
       STATE }
#endif
  /* what waits looks again, and after its deadline once more */
  :: d_step { ce == 2 && !overdue && !fin -> ce = 1; printf("step: look again\n") }
  :: d_step { ce == 2 && !passed && fin && polled && !PR -> passed = 1; overdue = 1; ce = 1; printf("step: the deadline passes\n"); STATE }
  /* ---- the end: what arrived is worked on, then one poll, then one sweep ---- */
  :: d_step { !fin -> fin = 1; nD = 0; nX = 0; nC = 0; printf("step: faults stop\n") }
#ifdef INBOUND
  :: d_step { fin && WIRES -> wp = 0; wd = 0; wc = 0; printf("step: webhooks lost\n") }
  :: d_step { fin && QUIET && !polled -> polled = 1;
#ifndef NO_POLL
       if :: PX -> admitParent() :: else fi; if :: CX -> admitChild() :: else fi;
#endif
       printf("step: POLL\n"); STATE }
  :: d_step { fin && QUIET && polled && !swept && (ce != 2 || passed || PR) -> swept = 1;
       if :: !PX && (PR || ptomb) -> deleteParent() :: else fi;
       if :: !CX && (CR || ce != 0) -> CR = 0; ctomb = 1; ce = 0 :: else fi;
       printf("step: SWEEP\n"); STATE }
  :: d_step { fin && QUIET && swept ->
       assert(ce != 2);                                               /* it does not wait for ever */
       assert(!CR || PR);
       assert(PX || (!PR && !CR));
#ifndef NO_POLL
       assert(!PX || PR || ptomb); assert(!CX || CR || ptomb)
#endif
     } -> break
#else
  :: d_step { fin && QUIET && !polled -> polled = 1; printf("step: POLL\n") }
  :: d_step { fin && QUIET && polled ->
       assert(ce != 2);                                               /* it does not wait for ever */
       assert(ptomb || (PX && bound && cBound && CX));                /* both are there, never one alone */
       assert(!ptomb || !bound || !PX) } -> break
#endif
  od
}
