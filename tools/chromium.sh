#!/bin/sh
# Chromium for the browser tests: installed where that is ours to do (Debian, root), asked for elsewhere.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" > /dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "Installing Chromium for the browser tests …"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium; } > /tmp/perennial-apt.$$ 2>&1 \
        && rm -f /tmp/perennial-apt.$$ && exit 0
    cat /tmp/perennial-apt.$$
    rm -f /tmp/perennial-apt.$$
fi
echo "************************************************************************"
echo "** There is no Chromium here: THE BROWSER TESTS CANNOT RUN.           **"
echo "** Install it and run again (Debian: apt-get install chromium).       **"
echo "************************************************************************"
