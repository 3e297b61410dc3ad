/*
 * A record that the app moves to another connection, there and back, or to where nothing is connected
 * (place 2). Each connection has a lane; a lane that the record has left is ended, and its resource
 * closed. Meanwhile people edit the resources, and webhooks come late or never.
 *
 * A resource has two fields: one that only people at the provider edit, one that only the app edits, so
 * that no two sides want the same; of that, lane.pml tells. What is read is read as it is now.
 *
 * NM  moves    NE  remote edits (one at most)    NL  local edits    NX  workers that die
 * DRAINS       two drains at once, whose looks at the record and commits come apart
 *
 * NO_... takes one rule away.
 */
#ifndef NM
#define NM 1
#endif
#ifndef NE
#define NE 0
#endif
#ifndef NL
#define NL 0
#endif
#ifndef NX
#define NX 0
#endif

/* ---- the app: where the record belongs, what it says; a write that is not drained ---- */
byte S; bit ra, rb, ch;
/* ---- resources, by place: 0 none 1 open 2 closed; what they say; a second one of ours ---- */
byte x[2]; bit ta[2], tb[2], surplus[2];
/* ---- webhooks under way, with the remote field; a POST whose sender died ---- */
bit wire[2], wa[2], stray[2];
/* ---- lanes: 0 none 1 alive 2 ended by a move; bound to the resource; base; known; a create was sent ---- */
byte ln[2]; bit bound[2], ba[2], bb[2], kn[2], sent[2], look[2];
/* ---- their events: inbound, outbound upsert, outbound delete ---- */
bit iq[2], uq[2], dq[2];
/* ---- a worker on each: 0 idle 1 POST 2 POSTed 3 close 4 closed 5 patch 6 patched; what it sends ---- */
byte w[2]; bit va[2], vb[2];
/* ---- drains that have looked: where the record was, and which lanes were alive ---- */
bit dr[2], alive[4]; byte seen[2];
/* ---- of the remote edit: Tandem was told, the record took it, a conflict names it ---- */
bit told, taken, named;
byte nM = NM, nE = NE, nL = NL, nX = NX; bit fin, polled, swept;

#define STATE printf("state: record at %d %d%d; lanes %d%d resources %d%d webhooks %d%d events %d%d %d%d %d%d workers %d%d told %d%d%d\n", S, ra, rb, ln[0], ln[1], x[0], x[1], wire[0], wire[1], iq[0], iq[1], uq[0], uq[1], dq[0], dq[1], w[0], w[1], told, taken, named)
#define WIRES (wire[0] || wire[1])
#define BUSY(i) (iq[i] || uq[i] || dq[i] || w[i] != 0)
#define QUIET (!BUSY(0) && !BUSY(1) && !ch && !dr[0] && !dr[1] && !WIRES)

/* What is seen at a resource that the record has left is named, if the record never had it. */
inline name(i, v) {
  if :: v -> told = 1 :: else fi;
#ifndef NO_NAME
  if :: v && !ba[i] && !kn[i] -> named = 1 :: else fi;
#endif
  kn[i] = v
}

/* Three ways; what only people edit is the record's once it is merged. */
inline merge(i) {
  if :: ta[i] -> told = 1 :: else fi;
  if
  :: ta[i] != ba[i] && ra == ba[i] -> ra = ta[i]; if :: ta[i] -> taken = 1 :: else fi
  :: else
  fi;
  ba[i] = ta[i]; bb[i] = tb[i]
}

inline unsent(i) { if :: ln[i] == 1 && (ra != ba[i] || rb != bb[i]) -> uq[i] = 1 :: else fi }

/* The drain decides on a record's lanes together, by where it saw it. */
inline leaveLane(i, at) {
  if
#ifndef NO_LEAVE
  :: (at) != i && ln[i] == 1 -> ln[i] = 2; uq[i] = 0; look[i] = 0; dq[i] = 1
#endif
  :: (at) == i && ln[i] == 0 -> ln[i] = 1; uq[i] = 1
  :: (at) == i && ln[i] == 1 -> uq[i] = 1
  :: (at) == i && ln[i] == 2 ->
     ln[i] = 1; uq[i] = 1;
#ifndef NO_TAKE_BACK
     dq[i] = 0;                                                       /* what has not begun is taken back */
#else
     if :: dq[i] -> uq[i] = 0 :: else fi;                             /* the deletion is kept */
#endif
#ifndef NO_REOPEN
     look[i] = 1                                                      /* nobody listened: it is read first */
#endif
  :: else
  fi
}

inline arrive(i, v) { if :: ln[i] == 2 -> name(i, v) :: ln[i] == 1 && bound[i] -> iq[i] = 1 :: else fi }

/* The worker on a lane; place names what a step is called by. */
inline post(i) { sent[i] = 1; va[i] = ra; vb[i] = rb; w[i] = 1 }

inline startUpsert(i) {
  uq[i] = 0;
  if
  :: ln[i] != 1                                                       /* ignored, for the move */
  :: ln[i] == 1 && !bound[i] && sent[i] && x[i] != 0 -> bound[i] = 1; sent[i] = 0; merge(i); unsent(i)   /* adopted */
  :: ln[i] == 1 && !bound[i] && !(sent[i] && x[i] != 0) ->
#ifndef NO_LOOK_AGAIN
     if :: S != i -> ch = 1 :: else -> post(i) fi                     /* the drain looks once more */
#else
     post(i)
#endif
#ifndef NO_LOOK_AGAIN
  :: ln[i] == 1 && bound[i] && look[i] && S != i -> ch = 1
  :: ln[i] == 1 && bound[i] && !(look[i] && S != i) ->
#else
  :: ln[i] == 1 && bound[i] ->
#endif
     if :: look[i] -> merge(i) :: else fi;
     if
     :: ra != ba[i] || rb != bb[i] || (look[i] && x[i] == 2) -> va[i] = ra; vb[i] = rb; w[i] = 5
     :: else
     fi;
     look[i] = 0
  fi
}

inline startDelete(i) {
  dq[i] = 0;
  if
#ifndef NO_TAKE_BACK
  :: ln[i] == 1                                                       /* it is back: nothing is done */
#endif
#ifndef NO_LOOK_AGAIN
  :: ln[i] == 2 && S == i -> ch = 1; dq[i] = 1
  :: ln[i] == 2 && S != i || ln[i] == 0 ->
#else
  :: else ->
#endif
     if
#ifndef NO_FIND
     :: !bound[i] && sent[i] && x[i] != 0 -> bound[i] = 1; w[i] = 3   /* a create of ours had landed */
#endif
     :: bound[i] -> w[i] = 3
     :: else
     fi
#if defined(NO_TAKE_BACK) && !defined(NO_LOOK_AGAIN)
  :: ln[i] == 1 -> if :: bound[i] -> w[i] = 3 :: else fi
#endif
  fi
}

inline lands(i) {
  if
  :: w[i] == 1 -> if :: x[i] == 0 -> x[i] = 1; ta[i] = va[i]; tb[i] = vb[i] :: else -> surplus[i] = 1 fi; w[i] = 2
  :: w[i] == 3 -> x[i] = 2; w[i] = 4
  :: w[i] == 5 -> x[i] = 1; if :: va[i] != ba[i] -> ta[i] = va[i] :: else fi; tb[i] = vb[i]; w[i] = 6
  fi;
  wire[i] = 1; wa[i] = ta[i]
}

inline answered(i) {
  if
  :: w[i] == 2 -> bound[i] = 1; sent[i] = 0;
     if :: ln[i] == 1 -> ba[i] = va[i]; merge(i); unsent(i) :: else -> ba[i] = va[i]; bb[i] = vb[i]; name(i, ta[i]) fi
  :: w[i] == 4 ->
#ifndef NO_ANSWER_NAMES
     if :: ln[i] == 2 -> name(i, ta[i]) :: else fi
#else
     if :: ta[i] -> told = 1 :: else fi; kn[i] = ta[i]
#endif
  :: w[i] == 6 ->
     if :: ln[i] == 1 -> if :: va[i] != ba[i] -> ba[i] = va[i] :: else fi; merge(i); unsent(i)
        :: else -> bb[i] = vb[i]; if :: va[i] != ba[i] -> ba[i] = va[i] :: else fi; name(i, ta[i])
     fi
  fi;
  w[i] = 0
}

/* Its lease runs out, and the event is tried again. A POST on its way may land later. */
inline dies(i) {
  if
  :: w[i] == 1 || w[i] == 2 -> if :: w[i] == 1 -> stray[i] = 1 :: else fi; if :: ln[i] == 1 -> uq[i] = 1 :: else fi
  :: w[i] == 3 || w[i] == 4 -> if :: ln[i] == 2 -> dq[i] = 1 :: else fi
  :: else -> if :: ln[i] == 1 -> uq[i] = 1; look[i] = 1 :: else fi
  fi;
  w[i] = 0
}

inline sweepAt(i) {
  surplus[i] = 0;
#ifndef NO_SWEEP
  if :: ln[i] == 2 && x[i] == 1 -> x[i] = 2; bound[i] = 1; name(i, ta[i]) :: else fi
#else
  skip
#endif
}

inline inbound(i) {
  iq[i] = 0;
#ifdef NO_IGNORE
  merge(i); assert(ln[i] != 2)                                        /* nothing of it reaches the record */
#else
  if :: ln[i] == 2 -> name(i, ta[i]) :: else -> merge(i); unsent(i) fi
#endif
}

inline looks(k) { ch = 0; dr[k] = 1; seen[k] = S; alive[2 * k] = (ln[0] == 1); alive[2 * k + 1] = (ln[1] == 1) }
inline commits(k) {
  dr[k] = 0;
  if
#ifndef NO_RECHECK
  :: alive[2 * k] != (ln[0] == 1) || alive[2 * k + 1] != (ln[1] == 1) -> ch = 1
  :: else ->
#else
  :: true ->
#endif
     leaveLane(0, seen[k]); leaveLane(1, seen[k])
  fi
}

active proctype Record() {
  x[0] = 1; ln[0] = 1; bound[0] = 1;
  do
  /* ---- people ---- */
  :: d_step { nE > 0 && x[0] != 0 -> nE--; ta[0] = 1; wire[0] = 1; wa[0] = 1; printf("step: remote edit at A\n"); STATE }
  :: d_step { nL > 0 && !rb -> nL--; rb = 1; ch = 1; printf("step: local edit\n"); STATE }
  :: d_step { nM > 0 && S != 0 -> nM--; S = 0; ch = 1; printf("step: move to A\n"); STATE }
  :: d_step { nM > 0 && S != 1 -> nM--; S = 1; ch = 1; printf("step: move to B\n"); STATE }
  :: d_step { nM > 0 && S != 2 -> nM--; S = 2; ch = 1; printf("step: move to nowhere\n"); STATE }
  /* ---- the drain ---- */
#ifdef DRAINS
  :: d_step { ch && !dr[0] -> looks(0); printf("step: drain looks\n"); STATE }
  :: d_step { ch && dr[0] && !dr[1] -> looks(1); printf("step: another drain looks\n"); STATE }
  :: d_step { dr[0] -> commits(0); printf("step: drain commits\n"); STATE }
  :: d_step { dr[1] -> commits(1); printf("step: the other drain commits\n"); STATE }
#else
  :: d_step { ch -> ch = 0; leaveLane(0, S); leaveLane(1, S); printf("step: drain\n"); STATE }
#endif
  /* ---- webhooks ---- */
  :: d_step { wire[0] -> wire[0] = 0; arrive(0, wa[0]); printf("step: deliver from A\n"); STATE }
  :: d_step { wire[1] -> wire[1] = 0; arrive(1, wa[1]); printf("step: deliver from B\n"); STATE }
  /* ---- workers ---- */
  :: d_step { w[0] == 0 && iq[0] -> inbound(0); printf("step: start inbound at A\n"); STATE }
  :: d_step { w[1] == 0 && iq[1] -> inbound(1); printf("step: start inbound at B\n"); STATE }
  :: d_step { w[0] == 0 && uq[0] && !iq[0] && !dq[0] -> startUpsert(0); printf("step: start outbound at A\n"); STATE }
  :: d_step { w[1] == 0 && uq[1] && !iq[1] && !dq[1] -> startUpsert(1); printf("step: start outbound at B\n"); STATE }
  :: d_step { w[0] == 0 && dq[0] && !iq[0] && !(ch && S == 0 && ln[0] == 2) -> startDelete(0); printf("step: start the removal at A\n"); STATE }
  :: d_step { w[1] == 0 && dq[1] && !iq[1] && !(ch && S == 1 && ln[1] == 2) -> startDelete(1); printf("step: start the removal at B\n"); STATE }
  :: d_step { w[0] == 1 || w[0] == 3 || w[0] == 5 -> lands(0); printf("step: the request lands at A\n"); STATE }
  :: d_step { w[1] == 1 || w[1] == 3 || w[1] == 5 -> lands(1); printf("step: the request lands at B\n"); STATE }
  :: d_step { w[0] == 2 || w[0] == 4 || w[0] == 6 -> answered(0); printf("step: the answer from A\n"); STATE }
  :: d_step { w[1] == 2 || w[1] == 4 || w[1] == 6 -> answered(1); printf("step: the answer from B\n"); STATE }
  :: d_step { nX > 0 && w[0] != 0 -> nX--; dies(0); printf("step: the worker at A dies\n"); STATE }
  :: d_step { nX > 0 && w[1] != 0 -> nX--; dies(1); printf("step: the worker at B dies\n"); STATE }
  :: d_step { stray[1] && !fin -> stray[1] = 0; if :: x[1] == 0 -> x[1] = 1; ta[1] = va[1]; tb[1] = vb[1] :: else -> surplus[1] = 1 fi; printf("step: the POST lands at last\n"); STATE }
  /* ---- the end ---- */
  :: d_step { !fin -> fin = 1; nM = 0; nE = 0; nL = 0; nX = 0; stray[0] = 0; stray[1] = 0; printf("step: faults stop\n") }
  :: d_step { fin && WIRES -> wire[0] = 0; wire[1] = 0; printf("step: webhooks lost\n") }
  :: d_step { fin && QUIET && !polled -> polled = 1; if :: x[0] != 0 -> arrive(0, ta[0]) :: else fi; if :: x[1] != 0 -> arrive(1, ta[1]) :: else fi; printf("step: POLL\n"); STATE }
  :: d_step { fin && QUIET && polled && !swept -> swept = 1; sweepAt(0); sweepAt(1); printf("step: SWEEP\n"); STATE }
  :: d_step { fin && QUIET && swept ->
       assert(S == 0 || (ln[0] != 1 && x[0] != 1));                   /* nothing is left open where it was */
       assert(S == 1 || (ln[1] != 1 && x[1] != 1));
       assert(S == 2 || (ln[S] == 1 && bound[S] && x[S] == 1));       /* one open resource where it belongs */
       assert(S == 2 || (ta[S] == ra && tb[S] == rb && ba[S] == ra && bb[S] == rb));
       assert(!surplus[0] && !surplus[1]);
       assert(!told || taken || named)                                /* no edit there is lost unrecorded */
     } -> break
  od
}
