// The versions are in the .mod files beside this one, which go takes with -modfile.
module apiserver

go 1.22
