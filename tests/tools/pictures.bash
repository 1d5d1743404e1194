# The pictures of slides and lessons: where they are named, and what each is drawn from.
#
# A ladder is drawn from a run of the reference solution; the text that stands for it is the command that draws it:
# In the text: ![make wire-03 RUN=half-close FROM=send HIDE=exit](pictures/03-half-close.svg)
# Every other picture has its source beside it: slides/pictures/NAME.dot, for Graphviz.

# ladders FILE.md...: a line for each ladder: picture, lesson, and the command's variables. One picture has one command.
ladders() {
    local file line picture command lesson
    for file; do
        while IFS= read -r line; do
            picture=${line##*(} picture=slides/pictures/${picture##*/}
            command=${line#'![make wire-'} command=${command%%]*}
            lesson=$(find_lesson "${command%% *}" wire)
            printf '%s\t%s\t%s\n' "${picture%)}" "$lesson" "${command#* }"
        done < <(grep -o '!\[make wire-[^]]*]([^)]*)' "$file")
    done | sort -u | awk -F'\t' '$1 == last {print $1 ": two commands are said to draw it" >"/dev/stderr"; exit 2} {last = $1; print}'
}

# ladder LESSON VARIABLE=VALUE...: played with the reference solution and drawn as text; SAVE=file for the picture.
ladder() {
    local lesson=$1
    shift
    env WIRE=solution SUBMISSION= NO_COLOR=1 "$@" tests/tools/wire "$lesson"
}

# desc FILE.svg: the plain ladder that a picture carries for readers who do not see it.
desc() {
    sed -n '/^<desc>$/,/^<\/desc>$/p' "$1" | sed '1d;$d; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'
}

# Light and dark of each colour that a .dot file may name.
palette='
fdfcf9 14181c paper
1d2329 eceae4 ink
4a545e b6bdc4 soft
c9c5ba 565f68 line
0a5c48 6fd6b4 accent
d5ebe3 1d4a3d mark
f0ede4 20262c block
b3261e ff8a80 bad'

# stylesheet: what makes a drawing of Graphviz's dark where the reader's system is.
stylesheet() {
    local light dark name
    printf '<style>text:not([fill]){fill:#1d2329}'
    printf '@media(prefers-color-scheme:dark){text:not([fill]){fill:#eceae4}'
    while read -r light dark name; do
        [[ -z $name ]] || printf '[fill="#%s"]{fill:#%s}[stroke="#%s"]{stroke:#%s}' "$light" "$dark" "$light" "$dark"
    done <<<"$palette"
    printf '}</style>'
}

# source_of FILE.svg: the sum of the source that it was drawn from.
source_of() {
    sed -n 's/^<!-- drawn from .*, SHA-256 \([0-9a-f]*\) -->$/\1/p' "$1"
}

sum() {
    sha256sum <"$1" | cut -d' ' -f1
}
