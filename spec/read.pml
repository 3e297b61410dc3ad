/*
 * Read before write: one resource, whose webhooks may all be lost, and the writes of one record to it. Only
 * versions count here, not what they say: a write may cover nothing that was there when its event began
 * and nobody has merged. What comes in between its read and its landing is the round trip of one request.
 *
 * NE remote edits   NL local edits   NP pages of polls   NX requests, or workers, that are lost
 * NO_... takes one rule away.
 */
#ifndef NE
#define NE 1
#endif
#ifndef NL
#define NL 1
#endif
#ifndef NP
#define NP 0
#endif
#ifndef NX
#define NX 0
#endif

byte V = 1;                   /* the resource's version */
byte MV = 1;                  /* the newest that is merged */
byte SV;                      /* the one that was there when the outbound event began */
byte TV;                      /* the newest that was told of, by a webhook that arrived */
byte val = 1;                 /* the version whose validator the lane keeps */
byte wire, page;              /* on their way: a webhook, a page that was read; 0 none */
bit iq, oq, open;             /* events that wait; an unknown outcome */
byte fresh;                   /* what needs no read for a moment: 1 our own answer 2 a list */
byte w, g, lv;                /* 0 idle 2 reading 3 sent 4 answered; what was read, 0 unchanged; what landed */
byte nE = NE, nL = NL, nP = NP, nX = NX;

#define STATE printf("state: version %d merged %d validator %d in %d out %d worker %d read %d\n", V, MV, val, iq, oq, w, g)

#ifdef NO_READ_FIRST
#define READS open
#else
#define READS (open || !fresh)
#endif

inline mergeUpTo(v) { if :: (v) > MV -> MV = (v) :: else fi }

/* A write leaves: all news that somebody was told of is merged, and all that was there when it began. */
inline send() {
  assert(TV <= MV);
  assert(fresh == 1 || MV >= SV);
  w = 3; open = 1
}

active proctype Reader() {
  do
  :: d_step { nE > 0 -> nE--; V++; wire = V; printf("step: remote edit a=%d\n", V); STATE }
  :: d_step { nL > 0 -> nL--; oq = 1; printf("step: local edit a=%d\n", NL - nL + 1); STATE }
  :: d_step { wire != 0 -> TV = wire; iq = 1; wire = 0; printf("step: deliver ua%d@0\n", TV); STATE }
  :: d_step { wire != 0 -> wire = 0; printf("step: webhooks lost\n") }
  :: d_step { nP > 0 && page == 0 -> nP--; page = V; printf("step: poll read\n") }
  :: d_step { page != 0 -> mergeUpTo(page); page = 0;
#ifdef NO_OLD_LISTS
       fresh = 2;                                            /* the page says what the resource is, not what it was */
#endif
       printf("step: POLL\n"); STATE }
  :: d_step { fresh -> fresh = 0; printf("step: tick\n") }
  /* ---- the worker: inbound goes before outbound ---- */
  :: d_step { w == 0 && iq -> iq = 0; mergeUpTo(TV); printf("step: start inbound upsert\n"); STATE }
  :: d_step { w == 0 && oq && !iq -> oq = 0; SV = V; printf("step: start outbound upsert\n");
       if :: READS -> w = 2; if :: val == V && !open -> g = 0 :: else -> g = V fi
#ifdef NO_VALIDATOR_MERGED
            ; val = V                                        /* kept though what was read may never be merged */
#endif
          :: else -> send()
       fi; STATE }
  :: d_step { w == 2 -> printf("step: commit look\n"); open = 0;
       if :: g != 0 -> mergeUpTo(g); val = g :: else fi;
       g = 0;
#ifndef NO_GIVE_WAY
       if :: iq -> w = 0; oq = 1 :: else -> send() fi;
#else
       send();
#endif
       STATE }
  :: d_step { w == 2 && nX > 0 -> nX--; w = 0; g = 0; oq = 1; printf("step: crash in look\n"); STATE }
  :: d_step { w == 3 -> V++; lv = V; w = 4; printf("step: patch arrives\n"); STATE }
  :: d_step { w == 3 && nX > 0 -> nX--; w = 0; oq = 1; printf("step: patch lost\n"); STATE }
  :: d_step { w == 4 -> w = 0; open = 0; mergeUpTo(lv); val = lv; fresh = 1; printf("step: commit answer\n"); STATE }
  :: atomic { w == 0 && !iq && !oq && nL == 0 && nE == 0 && wire == 0 && page == 0 -> break }
  od
}
