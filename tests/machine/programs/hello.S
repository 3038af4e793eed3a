    .include "bare.inc"
    start
    print "hello\n"
    power_off
    no_irq_handler
    library
