#!/bin/sh
# Builds NuSMV 2.5.4, without SAT solvers, from the sources that the Python package pynusmv 1.0rc8 carries.
# usage: sh tests/bench/build_nusmv.sh FOLDER
# needs: pip, a C compiler, make, flex, bison, patch and the headers of expat and readline:
#        apt-get install build-essential flex bison patch libexpat1-dev libreadline-dev
set -eu
folder=${1:?usage: sh tests/bench/build_nusmv.sh FOLDER}
mkdir -p "$folder"
cd "$folder"
folder=$PWD
archive=pynusmv-1.0rc8.tar.gz
# pip fetches the archive, and then may fail to prepare it for this Python; the archive is all that is needed
[ -f $archive ] || python3 -m pip download --no-deps --no-binary :all: --dest . pynusmv==1.0rc8 || [ -f $archive ]

rm -rf sources
mkdir sources
tar xzf $archive --strip-components=3 -C sources pynusmv-1.0rc8/dependencies/NuSMV
cd sources
tar xzf NuSMV-2.5.4.tar.gz
patch -p0 <cudd.patch
# the type of wait()'s argument was a union in systems of old
sed -i 's/union wait status/int status/; s/status\.w_status/status/' NuSMV-2.5.4/cudd-2.4.1.1/util/pipefork.c

# the sources are older than the rules that compilers apply by default now
printf '#!/bin/sh\nexec cc -std=gnu89 -fcommon -w "$@"\n' >"$folder/old-cc"
chmod +x "$folder/old-cc"
cd NuSMV-2.5.4/nusmv
CC=$folder/old-cc ./configure --disable-minisat --disable-zchaff --disable-psl CFLAGS='-O2 -std=gnu89 -fcommon -w'
make CC="$folder/old-cc"
cp NuSMV "$folder/NuSMV"
echo "built: $folder/NuSMV"
