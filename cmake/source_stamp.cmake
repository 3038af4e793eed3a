# cmake -DOUTPUT=FILE -DSOURCES=FILES -P source_stamp.cmake: a source file with a number that is another one when any
# of the files is.
set(hashes "")
foreach(source ${SOURCES})
  file(SHA256 ${source} hash)
  string(APPEND hashes ${hash})
endforeach()
string(SHA256 stamp "${hashes}")
string(SUBSTRING ${stamp} 0 16 stamp)
file(WRITE ${OUTPUT} "namespace tiercel::service {\nextern const unsigned long long kSourceStamp = 0x${stamp};\n}\n")
