# cmake -D OUTPUT=FILE -D LIBRARIES=A,B,... -P GeneratorIdentity.cmake
# Writes the source of tx::host::getLibraryHash(): a hash of the libraries between a kernel's IR and its object.
# Whatever changes one of them, a source, a header, a TableGen file or a compiler's flag, changes the hash.
string(REPLACE "," ";" LIBRARIES "${LIBRARIES}")
set(hashes "")
foreach(library IN LISTS LIBRARIES)
  file(SHA256 ${library} hash)
  string(APPEND hashes ${hash})
endforeach()
string(SHA256 hash "${hashes}")
file(WRITE ${OUTPUT} "namespace tx::host {
const char *getLibraryHash() { return \"${hash}\"; }
} // namespace tx::host
")
