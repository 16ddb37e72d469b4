#!/usr/bin/env bash
# What the action does, see action.yml. All that users choose comes in variables; nothing of it is ever run or expanded.
#
# Ends with 0 where fluxdag ran, whatever it found: the exit code of fluxdag is an output, and the last step of the action
# ends with it.
set -euo pipefail

# `text` as a workflow command may hold it.
escaped() {
    local text=$1
    text=${text//'%'/'%25'}
    text=${text//$'\r'/'%0D'}
    printf '%s' "${text//$'\n'/'%0A'}"
}

fail() {
    # The runner reads commands on both streams, and this one is never caught by `$(…)`.
    echo "::error title=fluxdag::$(escaped "$1")" >&2
    echo "exit-code=2" >>"$GITHUB_OUTPUT"
    exit 2
}

is_on() {
    case $2 in
    true) return 0 ;;
    false | "") return 1 ;;
    *) fail "the input '$1' is true or false, not '$2'" ;;
    esac
}

target() {
    case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo x86_64-unknown-linux-musl ;;
    Linux-aarch64 | Linux-arm64) echo aarch64-unknown-linux-musl ;;
    Darwin-x86_64) echo x86_64-apple-darwin ;;
    Darwin-arm64) echo aarch64-apple-darwin ;;
    MINGW*-x86_64 | MSYS*-x86_64) echo x86_64-pc-windows-msvc ;;
    *) fail "there is no fluxdag for $(uname -sm)" ;;
    esac
}

checksum() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum --algorithm 256 "$1"; fi | cut -d ' ' -f 1
}

# Brings the program here, and sets `fluxdag` to it.
install() {
    local version=$1 target archive releases folder
    if [[ $version == installed ]]; then
        fluxdag=$(command -v fluxdag) || fail "the input 'version' is 'installed', and there is no fluxdag on the PATH"
        return
    fi
    if [[ -z $version ]]; then
        version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml" | head -n 1)
    fi
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?$ ]] ||
        fail "the input 'version' is a version such as 0.1.0, not '$version'"
    target=$(target)
    archive=fluxdag-$version-$target.tar.gz
    [[ $target != *windows* ]] || archive=fluxdag-$version-$target.zip
    # Another place for the archives, such as a mirror.
    releases=${FLUXDAG_RELEASES:-${GITHUB_SERVER_URL:-https://github.com}/${ACTION_REPOSITORY:-$GITHUB_REPOSITORY}/releases/download}
    folder=$work/bin
    mkdir -p "$folder"
    for file in "$archive" SHA256SUMS; do
        curl --proto '=https,file' --fail --silent --show-error --location --retry 3 --output "$folder/$file" \
            "$releases/v$version/$file" || fail "failed to download $releases/v$version/$file"
    done
    grep -qxF "$(checksum "$folder/$archive")  $archive" "$folder/SHA256SUMS" ||
        fail "the checksum of $archive is not the one that the release has"
    case $archive in
    *.zip) (cd "$folder" && unzip -oq "$archive" fluxdag.exe) ;;
    *) tar -xzf "$folder/$archive" -C "$folder" fluxdag ;;
    esac
    fluxdag=$folder/fluxdag
}

# Keeps one comment on the pull request: found by its mark, and edited in place.
comment() {
    local mark='<!-- fluxdag -->' number id body=$work/comment.md most=65536
    number=$(jq --raw-output '.pull_request.number // empty' "$GITHUB_EVENT_PATH")
    [[ $number =~ ^[0-9]+$ ]] || return 0
    { echo "$mark" && cat "$1"; } >"$body"
    if (($(wc -m <"$body") > most)); then
        printf '%s\n%s\n' "$mark" 'The findings are too many for a comment; the summary of the job has them.' >"$body"
    fi
    id=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$number/comments" \
        --jq ".[] | select(.user.type == \"Bot\" and (.body | startswith(\"$mark\"))) | .id") || return 1
    # The first of several.
    id=${id%%$'\n'*}
    if [[ -n $id ]]; then
        gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$body"
    else
        gh api --silent "repos/$GITHUB_REPOSITORY/issues/$number/comments" --field "body=@$body"
    fi
}

work=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/fluxdag.XXXXXX")
install "${INPUT_VERSION:-}"

case ${INPUT_FAIL_ON:-} in
"" | error | warning | info | never) ;;
*) fail "the input 'fail-on' is error, warning, info or never, not '$INPUT_FAIL_ON'" ;;
esac

case ${INPUT_SINCE:-} in
-*) fail "the input 'since' is a revision, not '$INPUT_SINCE'" ;;
esac

flags=(lint --no-progress -o "json=$work/findings.json" -o "markdown=$work/findings.md")
annotations=false
if is_on annotations "${INPUT_ANNOTATIONS:-true}"; then
    annotations=true
    flags+=(-o github)
else
    flags+=(-o full)
fi
if is_on sarif "${INPUT_SARIF:-}"; then
    flags+=(-o "sarif=$work/fluxdag.sarif")
fi
[[ -z ${INPUT_CONFIG:-} ]] || flags+=("--config=$INPUT_CONFIG")
[[ -z ${INPUT_FAIL_ON:-} ]] || flags+=("--fail-on=$INPUT_FAIL_ON")
[[ -z ${INPUT_SINCE:-} ]] || flags+=("--since=$INPUT_SINCE")
# Words of all lines; `read` expands nothing of them.
while read -r -a words; do
    flags+=(${words[@]+"${words[@]}"})
done <<<"${INPUT_ARGS:-}"
paths=()
while IFS= read -r path; do
    [[ -z $path ]] || paths+=("$path")
done <<<"${INPUT_PATH:-.}"
((${#paths[@]})) || paths=(.)

code=0
if $annotations; then
    "$fluxdag" "${flags[@]}" -- "${paths[@]}" || code=$?
else
    # What is printed comes from the repository, and may look like a command to the runner.
    token=$(od -An -N 16 -t x1 /dev/urandom | tr -d ' \n')
    echo "::stop-commands::$token"
    FORCE_COLOR=1 "$fluxdag" "${flags[@]}" -- "${paths[@]}" || code=$?
    echo "::$token::"
fi

findings=
if ((code < 2)); then
    findings=$(jq '[.findings[] | select(.suppressed == null)] | length' "$work/findings.json")
    told=$work/findings.md
    if [[ -n ${INPUT_SINCE:-} ]]; then
        # New findings are part of it, beside what becomes of the graph and the minutes.
        told=$work/changes.md
        diff=(diff --merge-base --fail-on=never -o markdown)
        [[ -z ${INPUT_CONFIG:-} ]] || diff+=("--config=$INPUT_CONFIG")
        "$fluxdag" "${diff[@]}" "$INPUT_SINCE" -- "${paths[@]}" >"$told" || fail "the change since '$INPUT_SINCE' could not be told"
    fi
    if is_on summary "${INPUT_SUMMARY:-true}"; then
        cat "$told" >>"$GITHUB_STEP_SUMMARY"
    fi
    if is_on comment "${INPUT_COMMENT:-}" && ! comment "$told"; then
        # A pull request from a fork gives no right to write.
        echo "::notice title=fluxdag::the comment could not be written; the summary of the job has the findings"
        is_on summary "${INPUT_SUMMARY:-true}" || cat "$told" >>"$GITHUB_STEP_SUMMARY"
    fi
fi
{
    echo "exit-code=$code"
    echo "findings=$findings"
    if [[ -s $work/fluxdag.sarif ]]; then
        echo "sarif-file=$work/fluxdag.sarif"
    else
        echo "sarif-file="
    fi
} >>"$GITHUB_OUTPUT"
