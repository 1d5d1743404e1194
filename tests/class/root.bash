# A clean root for tests: the system's programs, next to nothing of /etc, no network, and one folder. As root without user
# namespaces, as in most containers.

# in_root FOLDER PLACE COMMAND...: with FOLDER at PLACE, which is the working directory too.
in_root() {
    local bind=() file folder=$1 place=$2
    shift 2
    for file in /bin /lib /lib32 /lib64 /libx32 /sbin; do
        [[ ! -L $file ]] || bind+=(--symlink "$(readlink "$file")" "$file")
    done
    for file in /etc/alternatives /etc/ld.so.cache /etc/passwd /etc/group; do
        bind+=(--ro-bind "$file" "$file")
    done
    bwrap --unshare-net --unshare-pid --die-with-parent --cap-add ALL --perms 755 --dir /etc --ro-bind /usr /usr "${bind[@]}" --proc /proc --dev /dev --perms 1777 --tmpfs /tmp \
        --bind "$folder" "$place" --chdir "$place" --clearenv --setenv PATH /usr/sbin:/usr/bin:/sbin:/bin --setenv HOME /tmp \
        --setenv NO_INSTALL 1 "$@"
}
