/* A driver of CUDA 12.4 by its own word, that lacks all which came later, as a real one may lack some: what is said of
   it is its version, not a missing name. */

int cuDriverGetVersion(int *version);
int cuDriverGetVersion(int *version) {
  *version = 12040;
  return 0;
}
