/*
 * A resource is transferred from one connected container to another while events of it are under way:
 * "A transfer re-keys the integration record." There is one lane with a record; a lane that is made at
 * the new address, before the transfer is known, is a stranger, and its record a double.
 *
 * A read or a write at the old address is led to the new one (301). Content is taken as it is now: of
 * what is older than what, lane.pml tells.
 *
 * NE  remote edits    NL  local edits    NX  requests or workers lost
 *
 * NO_... takes one rule away.
 */
#ifndef NE
#define NE 0
#endif
#ifndef NL
#define NL 0
#endif
#ifndef NX
#define NX 0
#endif

/* ---- the provider: content, place; what is on the wire from each place, and of the transfer ---- */
byte T, loc; bit w0, w1, wt, moved;
/* ---- the app: the record, its double at the new place, one at the old place ---- */
bit E = 1, D, D0; byte R; bit ch;
/* ---- the lane: its address, base, events, attempt; the address left behind is ended ---- */
byte at; byte B; bit iq, oq, am, behind, tomb; byte av;
bit sl, sq;                   /* the stranger at the new place, and its event */
bit zl, zq;                   /* a lane made anew at the old place */
/* ---- the worker: 0 idle 1 read 2 looked 3 sent 4 answered 5 led elsewhere; where it asked; what it saw ---- */
byte w, wa, wg; bit held, in;  /* it still holds its claim; of an inbound event */
byte nE = NE, nL = NL, nX = NX, y; bit fin, polled, swept, lp, cf;

#define STATE printf("state: resource %d at %d record %d:%d double %d%d base %d lane at %d tomb %d in %d out %d attempt %d worker %d stranger %d%d\n", T, loc, E, R, D, D0, B, at, tomb, iq, oq, am, w, sl, sq)
#define WIRES (w0 || w1 || wt)
#define QUIET (w == 0 && !iq && !oq && !sq && !zq && !ch && !WIRES)

/* The transfer is known: the lane takes the new address, and what is there goes to the old one. */
inline follow() {
  if
#ifdef NO_REKEY
  :: at == 0 && !tomb -> tomb = 1; iq = 0; oq = 0; E = 0              /* gone here, and another there */
#else
  :: at == 0 && !tomb ->
     at = 1; behind = 1; iq = 1;                                      /* it is read at its new place */
     if :: w != 0 && held -> held = 0; if :: !in -> oq = 1 :: else fi :: else fi
#ifndef NO_TRADE
     ; sl = 0; sq = 0                                                 /* the stranger's record is a double, removed with it */
#endif
#endif
  :: else
  fi
}

inline merge(c, own) {
  if
  :: (own) && (c) == av -> B = c
  :: else -> if :: (c) == B -> skip
                :: (c) != B && R == B && !am -> R = c; B = c
                :: (c) != B && !(R == B && !am) -> if :: R != (c) -> cf = 1 :: else fi; R = c; B = c
             fi
  fi;
#ifndef NO_TRADE
  if :: at == 1 -> D = 0 :: else fi
#endif
}

inline send() { if :: R == B || tomb -> w = 0; held = 0 :: else -> am = 1; av = R; w = 3; wa = at fi; wg = 0 }
inline queueUnsent() { if :: E && R != B && !tomb -> oq = 1 :: else fi }

/* Something of the resource arrives from a place. */
inline arrive(place) {
  if
  :: at == (place) && !tomb -> iq = 1
  :: (place) == 1 && !(at == 1 && !tomb) -> if :: !sl -> sl = 1; sq = 1 :: else fi
#ifdef NO_BEHIND
  :: (place) == 0 && at == 1 -> if :: !zl -> zl = 1; zq = 1 :: else fi
#endif
  :: else                                                             /* ignored, for the event that moved it */
  fi
}

active proctype Lane() {
  do
  :: d_step { nE > 0 && T != 1 -> nE--; T = 1; if :: loc == 0 -> w0 = 1 :: else -> w1 = 1 fi; printf("step: remote edit a=1\n"); STATE }
  :: d_step { !moved && !fin -> moved = 1; loc = 1; wt = 1; w1 = 1; printf("step: transfer\n"); STATE }
  :: d_step { w0 -> w0 = 0; arrive(0); printf("step: deliver from the old place\n"); STATE }
  :: d_step { w1 -> w1 = 0; arrive(1); printf("step: deliver from the new place\n"); STATE }
  :: d_step { wt -> wt = 0; follow(); printf("step: deliver the transfer\n"); STATE }
  :: d_step { nL > 0 && E && R != 2 -> nL--; R = 2; ch = 1; lp = 1; printf("step: local edit a=2\n"); STATE }
  :: d_step { ch -> ch = 0; if :: tomb -> skip :: else -> oq = 1 fi; printf("step: drain\n"); STATE }
  /* ---- others' lanes: a record is made of what seems new ---- */
  :: d_step { sq -> sq = 0; D = 1; printf("step: start the stranger\n"); STATE }
  :: d_step { zq -> zq = 0; D0 = 1; printf("step: start the stranger at the old place\n"); STATE }
  /* ---- the worker ---- */
  :: d_step { w == 0 && iq -> iq = 0; held = 1; in = 1; wa = at; if :: loc == at -> wg = T; w = 1 :: else -> w = 5 fi; printf("step: start inbound upsert\n"); STATE }
  :: d_step { w == 0 && oq && !iq -> oq = 0; held = 1; in = 0; wa = at; printf("step: start outbound upsert\n");
       if :: am -> if :: loc == at -> wg = T; w = 2 :: else -> w = 5 fi :: else -> send() fi; STATE }
  :: d_step { w == 1 -> w = 0; printf("step: commit re-read\n"); if :: held && !tomb -> merge(wg, am); am = 0; queueUnsent() :: else fi; held = 0; wg = 0; STATE }
  :: d_step { w == 2 -> printf("step: commit look\n"); if :: held && !tomb -> merge(wg, am); am = 0; send() :: else -> w = 0; held = 0; wg = 0 fi; STATE }
  :: d_step { w == 3 -> if :: loc == wa -> T = av; if :: av == 2 -> lp = 0 :: else fi; if :: loc == 0 -> w0 = 1 :: else -> w1 = 1 fi; wg = T; w = 4 :: else -> w = 5 fi; printf("step: patch arrives\n"); STATE }
  :: d_step { w == 4 -> w = 0; printf("step: commit answer\n"); if :: held && !tomb -> merge(wg, 1); am = 0; queueUnsent() :: else fi; held = 0; wg = 0; STATE }
  /* led elsewhere: nothing was applied */
  :: d_step { w == 5 -> printf("step: led elsewhere\n");
#ifdef NO_REDIRECT
       if :: held && !tomb -> tomb = 1; E = 0; iq = 0; oq = 0 :: else fi;  /* not there: it counts as deleted */
#else
       follow(); if :: held -> if :: !in -> oq = 1 :: else fi :: else fi;
#endif
       w = 0; held = 0; wg = 0; STATE }
  :: d_step { w != 0 && w != 5 && nX > 0 -> nX--; w = 0; if :: held -> if :: in -> iq = 1 :: else -> oq = 1 fi :: else fi; held = 0; wg = 0; printf("step: crash\n"); STATE }
  /* ---- the end ---- */
  :: d_step { !fin && moved -> fin = 1; nE = 0; nL = 0; nX = 0; printf("step: faults stop\n") }
  :: d_step { fin && WIRES -> w0 = 0; w1 = 0; wt = 0; printf("step: webhooks lost\n") }
  :: d_step { fin && QUIET && !polled -> polled = 1; arrive(1); printf("step: POLL\n"); STATE }
  /* the sweep asks by id for what is not listed: it is led to the new place */
  :: d_step { fin && QUIET && polled && !swept -> swept = 1; printf("step: SWEEP\n");
       if :: at == 0 && !tomb ->
#ifdef NO_REDIRECT
          tomb = 1; E = 0
#else
          follow()
#endif
       :: else fi;
       if :: zl -> zl = 0; D0 = 0 :: else fi;
       STATE }
  :: d_step { fin && QUIET && swept ->
       assert(E && at == 1 && !tomb);                                 /* the pairing, and its record, went along */
       assert(!D && !D0);                                             /* one record of one resource */
       assert(R == T && B == T);
       assert(!lp || cf) } -> break                                   /* no local edit lost unrecorded */
  /* nothing is made of what the old place still says */
  :: d_step { D0 -> assert(!D0) }
  od
}
