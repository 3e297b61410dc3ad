/*
 * Creating the resource of one record exactly once: requests that are lost, land late or are answered
 * into the void, a list that lags, webhooks in any order, and a person who copies the resource, its
 * token included. Moves are named as in test/engine/creates/create-world.ts.
 *
 * NX  requests or workers lost; a lost request may land later    NH  copies by persons
 * NA  copies by persons who act as the account, once the record is paired: only a create that left and
 *     whose resource was not seen proves that a resource is ours; time and text tell a copy made meanwhile
 * NM  markers, with their token, that a person edits out of what we made; by its author, time and text it
 *     is told all the same, while one create only is not answered. So these rows are EXACT.
 * EXACT: none lands late and the list does not lag. Then there are never two of ours, not even for a while.
 * NO_ROOM: the resource has no room for a token. Then no rule can be exact about requests that land
 * late and lists that lag, so there are none; unknown resources wait while a create is open.
 *
 * NO_... takes one rule away.
 */
#ifndef NX
#define NX 0
#endif
#ifndef NH
#define NH 0
#endif
#if !defined(NO_ROOM) && !defined(EXACT)
#define LATE                  /* requests land late, lists lag */
#endif
#ifndef NA
#define NA 0
#endif
#ifndef NM
#define NM 0
#endif
#define N 5                   /* resources are numbered from 1 in the order they land */

/* ---- the provider ---- */
byte n;                       /* how many resources there are */
bit human[N], hand[N], told[N], open[N], wire[N];
#if NM > 0
bit bare[N];                  /* its marker was edited away */
#define BARE(k) bare[k]
#else
#define BARE(k) 0
#endif
byte adrift;                  /* requests of workers that gave up on them */
/* ---- the lanes: the create's own, and those of other resources ---- */
byte bound;                   /* its external id */
bit hb;                       /* base: the resource was merged */
byte left, nm; bit made[N];   /* how many creates left; the resources taken for what they made */
bit sent, att;                /* a create left; its outcome is not settled */
bit iq, oq = 1;               /* its inbound and outbound events */
bit own[N], waits[N];         /* another record was made; it waits for the create */
/* ---- the worker: 0 idle 1 sent 2 answered 3 listed ---- */
byte w, ans;
byte nX = NX, nH = NH, nA = NA, nM = NM, i, r; bit fin, polled, swept;

#define STATE printf("state: n %d bound %d base %d attempt %d in %d out %d worker %d:%d open %d%d%d%d own %d%d%d%d human %d%d%d%d\n", \
  n, bound, hb, att, iq, oq, w, ans, open[1], open[2], open[3], open[4], own[1], own[2], own[3], own[4], human[1], human[2], human[3], human[4])

#ifdef NO_AUTHOR
#define OURS(k) 1             /* whatever carries the token */
#else
#define OURS(k) (!human[k] || hand[k])
#endif
#ifdef NO_PROOF
#define SURPLUS(k) OURS(k)    /* the token and the account are proof enough */
#else
#define SURPLUS(k) (OURS(k) && (made[k] || (left > nm && !told[k])))
#endif
#define MARK(k) if :: !made[k] -> made[k] = 1; nm++ :: else fi
#ifdef NO_ADOPT
#define ADOPTS(k) 0
#else
#define ADOPTS(k) (bound == 0 && sent && OURS(k))
#endif
#ifdef NO_WAIT_ONLY_OURS
#define MAY_WAIT(k) 1
#else
#define MAY_WAIT(k) (!human[k])
#endif

inline land(h) {
#ifdef EXACT
  for (i : 1 .. n) { assert(h || human[i]) } i = 0;
#endif
  n++; human[n] = h; open[n] = 1; wire[n] = 1
}

/* An arrival of resource k: its lane, adopted, surplus, new, or one that waits. */
inline observe(k) {
  wire[k] = 0;
  if
  :: own[k] || waits[k] -> skip
  :: !own[k] && !waits[k] && bound == k -> if :: w != 0 || att || !hb -> iq = 1 :: else fi
  :: else ->
#ifdef NO_ROOM
#ifdef NO_WAIT
     own[k] = 1
#else
     if :: sent && bound == 0 && MAY_WAIT(k) -> waits[k] = 1
        :: else -> own[k] = 1
     fi
#endif
#else
     if
#if NM > 0
     :: BARE(k) ->
#ifdef NO_LOST_TOKEN
        own[k] = 1
#else
        if :: sent && bound == 0 && MAY_WAIT(k) -> waits[k] = 1             /* ours had its token from the start */
           :: else -> own[k] = 1
        fi
#endif
#endif
     :: !BARE(k) && ADOPTS(k) -> bound = k; iq = 1; MARK(k)                                /* adopted */
#ifndef NO_SURPLUS
     :: !BARE(k) && bound != 0 && SURPLUS(k) -> MARK(k)                           /* ours and not bound: the sweep closes it */
     :: !BARE(k) && !ADOPTS(k) && !(bound != 0 && SURPLUS(k)) -> own[k] = 1
#else
     :: !BARE(k) && !ADOPTS(k) -> own[k] = 1
#endif
     fi
#endif
  fi
}

inline takeOver(k) { if :: waits[k] && bound == 0 -> waits[k] = 0; bound = k; iq = 1 :: else fi }

/* A create: nothing of ours is known, so it is sent. */
#ifdef NO_INTENT
inline post() { w = 1 }       /* what is under way is known to its worker alone */
#else
inline post() { sent = 1; att = 1; w = 1; left++ }
#endif

/* An answer or a look names resource k. */
inline name(k) {
  takeOver(k);
  if
  :: bound == 0 || bound == k -> bound = k; hb = 1; att = 0; MARK(k)           /* the event ends: nothing differs */
  :: else -> oq = 1                                                    /* another was adopted: this one is surplus */
  fi
}

#define WAITING (waits[1] || waits[2] || waits[3] || waits[4])
#define WIRES (wire[1] || wire[2] || wire[3] || wire[4])
#define QUIET (w == 0 && !iq && !oq && !WAITING)

active proctype Create() {
  do
  /* ---- the worker ---- */
  :: d_step { w == 0 && iq -> iq = 0; hb = 1; att = 0; printf("step: inbound\n"); STATE }
  :: d_step { w == 0 && !iq && oq && bound == 0 && !sent -> oq = 0; post(); printf("step: start outbound\n"); STATE }
  :: d_step { w == 0 && !iq && oq && bound != 0 -> oq = 0; hb = 1; att = 0; printf("step: start outbound\n"); STATE }
  /* a create that may have landed is looked for first */
#ifndef NO_LOOK
  :: d_step { w == 0 && !iq && oq && bound == 0 && sent ->
       r = 0;
#ifndef NO_FIND
       for (i : 1 .. n) {
#ifdef NO_ROOM
         if :: r == 0 && open[i] && !human[i] && !own[i] -> r = i :: else fi
#elif defined(NO_LIKENESS)
         if :: r == 0 && open[i] && !human[i] && !BARE(i) -> r = i :: else fi
#else
         if :: r == 0 && open[i] && !human[i] -> r = i :: else fi
#endif
       }
       i = 0;
#endif
       oq = 0;
       if :: r > 0 -> w = 3; ans = r; printf("step: list shows %d\n", r) :: else -> post(); printf("step: list shows nothing\n") fi;
       r = 0; STATE }
#ifdef LATE
  :: d_step { w == 0 && !iq && oq && bound == 0 && sent && n > 0 -> oq = 0; post(); printf("step: list shows nothing\n"); STATE }  /* it lags */
#endif
#else
  :: d_step { w == 0 && !iq && oq && bound == 0 && sent -> oq = 0; post(); printf("step: start outbound\n"); STATE }
#endif
  :: d_step { w == 1 && n < N - 1 -> land(0); w = 2; ans = n; printf("step: POST lands\n"); STATE }
  :: d_step { w == 2 -> w = 0; name(ans); ans = 0; printf("step: answer\n"); STATE }
  :: d_step { w == 3 -> w = 0; name(ans); ans = 0; printf("step: look\n"); STATE }
  :: d_step { w != 0 && nX > 0 -> nX--; w = 0; ans = 0; oq = 1; printf("step: outcome lost\n"); STATE }
#ifdef LATE
  :: d_step { w == 1 && nX > 0 -> nX--; w = 0; oq = 1; adrift++; printf("step: POST adrift\n"); STATE }
  :: d_step { adrift > 0 && n < N - 1 -> adrift--; land(0); printf("step: a late POST lands\n"); STATE }
#endif
  /* ---- others, and what is on its way ---- */
  :: d_step { nH > 0 && n > 0 && n < N - 1 -> nH--; land(1); printf("step: a person copies it\n"); STATE }
  :: d_step { nA > 0 && bound != 0 && n < N - 1 -> nA--; land(1); hand[n] = 1; told[n] = (left > nm); printf("step: its writer copies it\n"); STATE }
#if NM > 0
#define EDIT(k) :: d_step { nM > 0 && k <= n && open[k] && !human[k] && !bare[k] -> nM--; bare[k] = 1; wire[k] = 1; printf("step: a person removes the marker of %d\n", k); STATE }
  EDIT(1) EDIT(2) EDIT(3) EDIT(4)
#endif
#define HOOK(k) :: d_step { wire[k] -> observe(k); printf("step: webhook %d\n", k); STATE }
  HOOK(1) HOOK(2) HOOK(3) HOOK(4)
#if defined(NO_ROOM) || NM > 0
  /* ---- what waits for the create goes on when it is settled, or its deadline passes before ---- */
#define WAIT(k) :: d_step { waits[k] && bound != 0 -> waits[k] = 0; own[k] = 1; printf("step: %d is let go\n", k); STATE } \
                :: d_step { waits[k] && bound == 0 && w == 0 -> takeOver(k); printf("step: deadline of %d\n", k); STATE }
  WAIT(1) WAIT(2) WAIT(3) WAIT(4)
#endif
  /* ---- the end: one poll, one sweep ---- */
  :: d_step { !fin && adrift == 0 -> fin = 1; nX = 0; nH = 0; nA = 0; nM = 0; printf("step: faults stop\n") }
  :: d_step { fin && !polled && WIRES -> wire[1] = 0; wire[2] = 0; wire[3] = 0; wire[4] = 0; printf("step: webhooks lost\n") }
  :: d_step { fin && QUIET && !polled && !WIRES -> polled = 1;
       for (r : 1 .. n) { if :: open[r] -> observe(r) :: else fi } r = 0; printf("step: POLL\n"); STATE }
  :: d_step { fin && QUIET && polled && !swept -> swept = 1;
#if !defined(NO_ROOM) && !defined(NO_SWEEP)
       r = 0;
       for (i : 1 .. n) {
#ifdef KEEP_LOWEST
         if :: open[i] && OURS(i) -> if :: r == 0 -> r = i :: else -> open[i] = 0 fi :: else fi
#else
         if :: open[i] && SURPLUS(i) && i != bound -> open[i] = 0 :: else fi
#endif
       }
       i = 0; r = 0;
#endif
       printf("step: SWEEP\n"); STATE }
  :: d_step { fin && QUIET && swept ->
       assert(bound != 0 && open[bound]);                             /* the record's resource lives */
       assert(!human[bound]);                                         /* it is not a person's copy */
       r = 0;
       for (i : 1 .. n) {
         if :: open[i] && !human[i] -> r++ :: else fi;
         assert(!own[i] || human[i]);                                 /* no second record for what is ours */
         assert(!human[i] || (open[i] && own[i]))                     /* a person's is left alone, and has its record */
       }
       assert(r == 1);                                                /* one open resource of ours */
       i = 0; r = 0 } -> break
  od
}
