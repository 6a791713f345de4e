#!/usr/bin/env bash
# Rebuilds a lab, unattended: what a CI runs every night.
#
#   nightly.sh LAB [--values FILE | --set FACT | --kubeconfig FILE]...
#
# It checks the lab file, asks the hardware while yesterday's lab still stands, rebuilds the lab, and keeps what
# there is to read of it, however the night ends. Its exit code is labrun's. Secrets come in as the lab file says:
# from files and the environment, never from a command line.
#
# What can be set in the environment:
#   LABRUN             the program (labrun)
#   NIGHTLY_FROM       the phase from which the lab is taken apart and built again (hosted)
#   NIGHTLY_LIMIT      how long the rebuild may take; the CI's own limit has to be longer (4h)
#   NIGHTLY_STATE      labrun's state folder, kept from night to night (labrun's own default)
#   NIGHTLY_REPORTS    where the reports go; those of an earlier night there are replaced (nightly-reports)
#   NIGHTLY_PREFLIGHT  stop: do not begin on hardware that cannot be used; report: tell of it, and begin all the
#                      same; off: do not ask (stop)
#   NIGHTLY_HELD       how a night counts when somebody else holds the lab: fail, with exit code 4, or skip, with 0 (fail)
#   NIGHTLY_TRIES      how many times to try for a held lab, and
#   NIGHTLY_PAUSE      how many seconds apart (1, 600)
#   NIGHTLY_VERDICT    a file that gets the verdict as well, one word without a newline (none)
#
# shellcheck disable=SC2317,SC2329 # what a trap and attend call is called
set -euo pipefail
umask 077

if [ $# -lt 1 ]; then
  echo "usage: $0 LAB [--values FILE | --set FACT | --kubeconfig FILE]..." >&2
  exit 2
fi
lab=$1
shift
labrun=${LABRUN:-labrun}
from=${NIGHTLY_FROM:-hosted}
limit=${NIGHTLY_LIMIT:-4h}
state=${NIGHTLY_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/labrun}
reports=${NIGHTLY_REPORTS:-nightly-reports}
preflight=${NIGHTLY_PREFLIGHT:-stop}
held=${NIGHTLY_HELD:-fail}
tries=${NIGHTLY_TRIES:-1}
pause=${NIGHTLY_PAUSE:-600}

mkdir -p "$reports"
rm -rf "$reports/evidence"
rm -f "$reports"/{verdict,summary.md,validate.txt,preflight.xml,events.jsonl,rebuild.txt,status.txt}

# oneof NAME VALUE WORD...: a setting that is none of its words is wrong.
oneof() {
  local name=$1 value=$2 word
  shift 2
  for word; do
    [ "$word" != "$value" ] || return 0
  done
  wrong="$name is \"$value\", which is none of: $*"
}

# number NAME VALUE FROM: so is one that is no number, or too small.
number() {
  case $2 in
  *[!0-9]*) ;;
  *) [ "$2" -lt "$3" ] || return 0 ;;
  esac
  wrong="$1 is \"$2\", want a number from $3"
}

wrong= # what is wrong with the settings: the night ends before it begins
oneof NIGHTLY_PREFLIGHT "$preflight" stop report off
oneof NIGHTLY_HELD "$held" fail skip
number NIGHTLY_TRIES "$tries" 1
number NIGHTLY_PAUSE "$pause" 0

signals=0 # how many came
child=    # the process that is attended to
missed=   # a signal came while there was none

# Each signal is handed on: labrun stops in order at the first one, and at once at the second.
told() {
  signals=$((signals + 1))
  if [ -n "$child" ]; then
    kill -TERM "$child" 2>/dev/null || :
  else
    missed=yes
  fi
}
trap told INT TERM HUP

# attend COMMAND...: runs it to its end, and leaves its exit code in code. After a signal nothing is begun.
attend() {
  local seen
  code=143
  [ "$signals" -eq 0 ] || return 0
  set -m # a process group of its own: a signal to the script's reaches it once, from here
  "$@" </dev/null &
  child=$!
  set +m
  [ -z "$missed" ] || kill -TERM "$child" 2>/dev/null || :
  while
    seen=$signals
    code=0
    wait "$child" || code=$?
    [ "$seen" -ne "$signals" ] # it was a signal that ended wait
  do :; done
  child=
}

# The commands take labrun's place in a process of their own, so that a signal is labrun's.
validate() { exec "$labrun" validate "$lab" "$@" >"$reports/validate.txt" 2>&1; }
ask() { exec "$labrun" preflight "$lab" "$@" -o junit >"$reports/preflight.xml"; }
rebuild() {
  exec "$labrun" rebuild "$lab" "$@" --from "$from" --max-duration "$limit" --state-dir "$state" -o json >"$reports/events.jsonl" 2>&3 3>&- 4<&-
}

# logged COMMAND...: attends to it, and keeps what it writes to file descriptor 3 in rebuild.txt, while the log shows
# it. What copies that lives as long as it is written to, whatever signal the script's group gets: without it the next
# line would end labrun. Its end is waited for, but not for ever: something that outlives labrun may hold its stderr.
logged() {
  local copy
  set -m # in a process group of its own
  coproc { exec tee "$reports/rebuild.txt" 4>&1 >&2; }
  set +m
  copy=$COPROC_PID
  exec 3>&"${COPROC[1]}"- 4<&"${COPROC[0]}"-
  attend "$@"
  exec 3>&-
  if read -r -t 10 <&4 || [ $? -eq 1 ]; then # its end, and not that of the patience
    wait "$copy" || :
  fi
  exec 4<&-
}

# began: the rebuild got as far as to have a run, which may have changed something.
began() { [ "$stage" = rebuild ] && [ -s "$reports/events.jsonl" ]; }

# build rebuilds the lab; one that somebody else holds is asked for again.
build() {
  local try=1
  while logged rebuild "$@" && [ "$code" -eq 4 ] && ! began && [ "$try" -lt "$tries" ]; do
    echo "$lab is held by somebody else: try $((try + 1)) of $tries in $pause seconds" >&2
    try=$((try + 1))
    attend sleep "$pause"
    [ "$code" -eq 0 ] || return 0
  done
}

# night runs its parts, until one of them ends it; stage is the part that did.
night() {
  stage=settings code=2
  [ -z "$wrong" ] || return 0
  stage=validate
  attend validate "$@"
  cat "$reports/validate.txt" >&2
  [ "$code" -eq 0 ] || return 0
  if [ "$preflight" != off ]; then
    stage=preflight
    attend ask "$@"
    failures >&2
    case $preflight:$code in
    *:0 | report:3) ;;
    *) return 0 ;;
    esac
  fi
  stage=rebuild
  build "$@"
}

# failures lists what the pre-flight found, a line each.
failures() {
  [ -s "$reports/preflight.xml" ] || return 0
  sed -n -e 's/.*<testcase name="\([^"]*\)" classname="[^".]*\.\([^"]*\)".*/\2: \1/;t keep' \
    -e 's/.*<failure message="\([^"]*\)".*/\1/;t tell' -e 'b' \
    -e ':keep' -e 'h;b' -e ':tell' -e 'H;g;s/\n/: /' \
    -e 's/&lt;/</g;s/&gt;/>/g;s/&#34;/"/g;s/&quot;/"/g' -e "s/&#39;/'/g" -e 's/&#x[AD9];/ /g;s/&amp;/\&/g' -e 'p' "$reports/preflight.xml"
}

# left says what a labrun that did not end by its own left of the lab.
left() {
  if began; then
    echo "the lab may be half destroyed or half built; the next night cleans up"
  else
    echo "nothing was changed"
  fi
}

# judge turns the exit code into a verdict, and a sentence for whoever reads it in the morning.
judge() {
  case $code in
  0) verdict=green said="$lab was rebuilt from $from" ;;
  1) verdict=failed said="$stage of $lab failed; the lab is left as it is, for a look; the next night rebuilds it all the same" ;;
  2) verdict=invalid said="$stage refused $lab or its own flags; nothing was changed" ;;
  3) verdict=hardware said="the pre-flight found hardware, or what else the lab stands on, that cannot be used" ;;
  4) verdict=held said="somebody else holds $lab; nothing was changed" ;;
  130 | 143)
    verdict=stopped said="$stage of $lab was stopped after $limit"
    [ "$signals" -eq 0 ] || said="$stage of $lab was stopped by a signal"
    said="$said; $(left)"
    ;;
  *) verdict=broken said="$stage of $lab ended with exit code $code, as when labrun is killed; $(left)" ;;
  esac
  case $stage:$code in
  settings:*) said="$wrong; nothing was begun" ;;
  preflight:3) said="$said; yesterday's lab still stands" ;;
  rebuild:3) ! began || said="$said; the lab is taken apart and not built" ;;
  rebuild:4) ! began || said="$lab was not held to the end of its rebuild; $(left)" ;;
  *:126 | *:127) said="LABRUN=$labrun cannot be started; nothing was begun" ;;
  esac
}

# collect keeps what the run left to read: what became of each step, and the evidence of failures. The lab's own
# folder stays where it is: the hosted cluster's passwords may be in it.
collect() {
  began || return 0 # otherwise the last run is another one, and so it can be of a held lab
  [ "$verdict" = held ] || "$labrun" status "$lab" "$@" --state-dir "$state" >"$reports/status.txt" 2>&1 || :
  local name number page
  sed -n 's/^{[^{]*"type":"run.started","run":{[^}]*"lab":"\([a-z0-9-]*\)".*"number":\([0-9]*\),.*/\1 \2/p' "$reports/events.jsonl" | sort -u |
    while read -r name number; do
      for page in "$state/$name/$number"/*/why.md; do
        [ -e "$page" ] || continue
        mkdir -p "$reports/evidence"
        cp -R "${page%/why.md}" "$reports/evidence/"
      done
    done
}

# summary is the night as a page of Markdown.
summary() {
  printf '## %s: %s\n\n%s.\n' "$lab" "$verdict" "$said"
  local page
  case $stage in
  validate) quote "$reports/validate.txt" ;;
  preflight) failures | quote - ;;
  rebuild)
    if [ -e "$reports/status.txt" ]; then
      quote "$reports/status.txt"
    elif [ -s "$reports/rebuild.txt" ]; then # it says why it did not begin, or who holds the lab
      tail -n 20 "$reports/rebuild.txt" | quote -
    fi
    ;;
  esac
  for page in "$reports"/evidence/*/why.md; do
    [ -e "$page" ] || continue
    printf '\n'
    head -c 65536 "$page" | sed 's/^#/###/'
  done
}

# quote shows lines as they are: indented, as a fence could end within them.
quote() {
  printf '\n'
  sed 's/^/    /' "$1"
}

# annotate tells GitHub of it where its pages show it.
annotate() {
  local level=error page
  case $verdict in green) return 0 ;; held) level=warning ;; esac
  [ ! -e "$reports/validate.txt" ] || sed -n 's/%/%25/g;s/^\([^: ][^:]*\):\([0-9][0-9]*\):\([0-9][0-9]*\): \(.*\)/\1 \2 \3 \4/p' "$reports/validate.txt" |
    while read -r file line column text; do
      case $text in
      'warning: '*) echo "::warning file=$file,line=$line,col=$column::${text#warning: }" ;;
      *) echo "::error file=$file,line=$line,col=$column::$text" ;;
      esac
    done
  [ "$stage" != preflight ] || failures | sed 's/%/%25/g;s/^/::error::/'
  for page in "$reports"/evidence/*/why.md; do
    [ ! -e "$page" ] || sed -n -e 's/%/%25/g;s/^\*\*\(.*\)\*\*$/::error::\1/p;t done' -e b -e ':done' -e q "$page"
  done
  echo "::$level::$(printf %s "$said" | sed 's/%/%25/g')"
}

night "$@"
set +e # a report that cannot be written changes nothing of how the night ended
judge
collect "$@"
echo "$verdict" >"$reports/verdict"
summary >"$reports/summary.md"
[ -z "${NIGHTLY_VERDICT:-}" ] || printf %s "$verdict" >"$NIGHTLY_VERDICT"
[ -z "${GITHUB_OUTPUT:-}" ] || echo "verdict=$verdict" >>"$GITHUB_OUTPUT"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$reports/summary.md" >>"$GITHUB_STEP_SUMMARY"
[ -z "${GITHUB_ACTIONS:-}" ] || annotate
echo "$verdict: $said; reports are in $reports" >&2
[ "$verdict:$held" != held:skip ] || began || exit 0 # one that was lost halfway is no night to be silent of
exit "$code"
